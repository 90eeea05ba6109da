//! Records of numbered fields, in CBOR: a map from the field's number to its value.
//!
//! A field with its type's default value is not written, so that adding a field costs nothing where it is not used.

use std::collections::BTreeMap;

use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::OpenError;

/// The fields of a record that this version does not know: kept as they came, written back as they were.
pub type Unknown = BTreeMap<u32, Vec<u8>>;

/// The fields of one record, each as the bytes of its value.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Fields(BTreeMap<u32, Vec<u8>>);

impl Fields {
    /// Begins with the fields that an older or newer version left.
    #[must_use]
    pub fn with(unknown: &Unknown) -> Self {
        Self(unknown.clone())
    }

    /// Splits a record into its fields.
    ///
    /// # Errors
    /// [`OpenError::Malformed`] for bytes that are no record, or have more behind it.
    pub fn parse(bytes: &[u8]) -> Result<Self, OpenError> {
        let mut decoder = Decoder::new(bytes);
        let fields = Self::read(&mut decoder).map_err(|error| malformed(0, &error))?;
        if decoder.position() == bytes.len() { Ok(fields) } else { Err(malformed(0, &"bytes behind the record")) }
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self, minicbor::decode::Error> {
        let length = decoder.map()?.ok_or_else(|| minicbor::decode::Error::message("a record of unknown length"))?;
        let mut fields = BTreeMap::new();
        for _ in 0..length {
            let number = decoder.u32()?;
            let start = decoder.position();
            decoder.skip()?;
            let value = decoder.input().get(start..decoder.position()).unwrap_or_default();
            fields.insert(number, value.to_vec());
        }
        Ok(Self(fields))
    }

    /// Takes field `number`, or its default where it is absent.
    ///
    /// # Errors
    /// [`OpenError::Malformed`] where the field is of another type.
    pub fn take<T: Default + for<'b> Decode<'b, ()>>(&mut self, number: u32) -> Result<T, OpenError> {
        match self.0.remove(&number) {
            None => Ok(T::default()),
            Some(bytes) => minicbor::decode(&bytes).map_err(|error| malformed(number, &error)),
        }
    }

    /// Sets field `number`, unless it has its default.
    pub fn put<T: Default + PartialEq + Encode<()>>(&mut self, number: u32, value: &T) {
        if *value != T::default() {
            // Writing into a vector cannot fail; an encoder of ours has no other error.
            self.0.insert(number, minicbor::to_vec(value).unwrap_or_default());
        }
    }

    /// What was not taken.
    #[must_use]
    pub fn rest(self) -> Unknown {
        self.0
    }

    /// The record's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).unwrap_or_default()
    }
}

fn malformed(field: u32, problem: &dyn std::fmt::Display) -> OpenError {
    OpenError::Malformed { field, problem: problem.to_string() }
}

impl<C> Encode<C> for Fields {
    fn encode<W: minicbor::encode::Write>(&self, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.map(self.0.len() as u64)?;
        for (number, value) in &self.0 {
            encoder.u32(*number)?;
            encoder.writer_mut().write_all(value).map_err(minicbor::encode::Error::write)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Fields {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        if decoder.datatype()? != Type::Map {
            return Err(minicbor::decode::Error::message("not a record"));
        }
        Self::read(decoder)
    }
}

/// Bytes as one field.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl<C> Encode<C> for Bytes {
    fn encode<W: minicbor::encode::Write>(&self, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(&self.0).map(drop)
    }
}

impl<'b, C> Decode<'b, C> for Bytes {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        decoder.bytes().map(|bytes| Self(bytes.to_vec()))
    }
}

/// A struct that is stored as a record; made by [`record!`].
pub trait Record: Sized {
    fn to_fields(&self) -> Fields;

    /// # Errors
    /// A field of another type.
    fn from_fields(fields: Fields) -> Result<Self, OpenError>;

    /// The stored form, under `format`.
    #[must_use]
    fn seal(&self, format: u16) -> Vec<u8> {
        crate::seal(format, &self.to_fields().to_bytes())
    }

    /// Reads the stored form, of at most `limit` bytes when unpacked.
    ///
    /// # Errors
    /// Every blob that this version cannot read, by its cause.
    fn open(blob: &[u8], newest_format: u16, limit: usize) -> Result<Self, OpenError> {
        let (_, content) = crate::open(blob, newest_format, limit)?;
        let records = records(&content).ok_or_else(|| malformed(0, &"something in it has an unknown length"))?;
        if records > MOST_SMALL_RECORDS.max(content.len() / SMALLEST_RECORD) {
            return Err(malformed(0, &"it has more records than its size can hold"));
        }
        Self::from_fields(Fields::parse(&content)?)
    }
}

/// A record takes far more memory than the byte that an empty one is stored in. None that says anything takes less than this on
/// the average; without the bound, a few kilobytes could unpack to gigabytes.
const SMALLEST_RECORD: usize = 16;
const MOST_SMALL_RECORDS: usize = 1_024;

/// How many records there are in some content, in one another or beside one another: each item of CBOR begins with its type.
///
/// None where the length of an item is not stated before it. Nothing here was ever written so, and in fields that this version
/// does not know a wrong end would go unseen until the record is read the next time.
fn records(content: &[u8]) -> Option<usize> {
    let mut count = 0;
    let mut rest = content;
    while let [head, tail @ ..] = rest {
        let (kind, short) = (head >> 5, head & 0x1f);
        let wide = match short {
            0..=23 => 0,
            24..=27 => 1 << (short - 24),
            _ => return None,
        };
        let (argument, tail) = tail.split_at_checked(wide).unwrap_or_default();
        let length = argument.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let length = if wide == 0 { u64::from(short) } else { length };
        count += usize::from(kind == MAP);
        let is_text = kind == BYTES || kind == TEXT;
        rest = if is_text { usize::try_from(length).ok().and_then(|length| tail.get(length..)).unwrap_or_default() } else { tail };
    }
    Some(count)
}

const BYTES: u8 = 2;
const TEXT: u8 = 3;
const MAP: u8 = 5;

/// Declares a struct that is stored as a record: `number => field: type`.
///
/// Every field's type has a default, which is not written; fields of other versions are kept in `unknown`.
/// A number is never used for anything else, even after its field is gone.
///
/// `masked struct` has no `Debug`: a record of personal data shows itself in a form of its own.
#[macro_export]
macro_rules! record {
    ($(#[$meta:meta])* masked $vis:vis struct $($rest:tt)*) => {
        $crate::record!(@ $(#[$meta])* $vis struct $($rest)*);
    };
    ($(#[$meta:meta])* $vis:vis struct $($rest:tt)*) => {
        $crate::record!(@ $(#[$meta])* #[derive(Debug)] $vis struct $($rest)*);
    };
    (
        @
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $number:literal => $field_vis:vis $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Default, Clone, PartialEq)]
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)*
            /// Fields that this version does not know.
            pub unknown: $crate::Unknown,
        }

        impl $crate::Record for $name {
            fn to_fields(&self) -> $crate::Fields {
                let mut fields = $crate::Fields::with(&self.unknown);
                $(fields.put($number, &self.$field);)*
                fields
            }

            fn from_fields(mut fields: $crate::Fields) -> Result<Self, $crate::OpenError> {
                Ok(Self { $($field: fields.take($number)?,)* unknown: fields.rest() })
            }
        }

        impl<C> $crate::minicbor::Encode<C> for $name {
            fn encode<W: $crate::minicbor::encode::Write>(
                &self,
                encoder: &mut $crate::minicbor::Encoder<W>,
                context: &mut C,
            ) -> Result<(), $crate::minicbor::encode::Error<W::Error>> {
                $crate::Record::to_fields(self).encode(encoder, context)
            }
        }

        impl<'b, C> $crate::minicbor::Decode<'b, C> for $name {
            fn decode(
                decoder: &mut $crate::minicbor::Decoder<'b>,
                context: &mut C,
            ) -> Result<Self, $crate::minicbor::decode::Error> {
                let fields = $crate::Fields::decode(decoder, context)?;
                <Self as $crate::Record>::from_fields(fields).map_err(|error| $crate::minicbor::decode::Error::message(error.to_string()))
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    crate::record! {
        struct Old {
            1 => name: String,
            3 => part: Option<Part>,
        }
    }

    crate::record! {
        struct New {
            1 => name: String,
            2 => count: u64,
            3 => part: Option<Part>,
            4 => list: Vec<String>,
        }
    }

    crate::record! {
        struct Part {
            1 => value: i64,
        }
    }

    #[test]
    fn an_older_version_keeps_what_it_does_not_know() {
        let new =
            New { name: "a".into(), count: 7, part: Some(Part { value: -3, ..Part::default() }), list: vec!["x".into()], ..New::default() };
        let mut old = Old::open(&new.seal(1), 1, 1000).unwrap();
        assert_eq!(old.part.as_ref().unwrap().value, -3);
        old.name = "b".into();
        let read = New::open(&old.seal(1), 1, 1000).unwrap();
        assert_eq!(read, New { name: "b".into(), ..new });
    }

    #[test]
    fn a_default_costs_no_byte() {
        assert_eq!(New::default().to_fields().to_bytes(), [0xa0]);
    }

    #[test]
    fn a_field_of_another_type_is_refused_by_its_number() {
        let mut fields = Fields::default();
        fields.put(1, &5_u64);
        let blob = crate::seal(1, &fields.to_bytes());
        assert!(matches!(New::open(&blob, 1, 1000), Err(OpenError::Malformed { field: 1, .. })));
    }

    #[test]
    fn a_blob_of_records_that_say_nothing_is_refused() {
        let list = |count: usize, part: &[u8]| {
            let mut content = vec![0xa1, 4, 0x9a];
            content.extend(u32::try_from(count).unwrap().to_be_bytes());
            content.extend(part.repeat(count));
            crate::seal(1, &content)
        };
        crate::record! {
            struct Parts {
                4 => parts: Vec<Part>,
            }
        }
        let open = |blob: &[u8]| Parts::open(blob, 1, 1 << 20);
        assert_eq!(open(&list(1_000, &[0xa0])).unwrap().parts.len(), 1_000, "a few are no harm");
        let blob = list(1_000_000, &[0xa0]);
        assert!(blob.len() < 1_000 && matches!(open(&blob), Err(OpenError::Malformed { field: 0, .. })));
        // Text that looks like records is none.
        let texts = [&[0xa1, 9, 0x58, 0xa0][..], &[0xa0; 0xa0]].concat();
        assert_eq!(records(&texts), Some(1));
        assert!(open(&list(5_000, &texts)).is_ok());
    }

    #[test]
    fn what_has_an_unknown_length_is_refused_wherever_it_stands() {
        for content in [&[0xbf, 0xff][..], &[0xa1, 9, 0x9f, 0xff], &[0xa1, 9, 0x9f, 0xa1, 0xff], &[0xa1, 9, 0x7f, 0x61, b'a', 0xff]] {
            assert!(matches!(New::open(&crate::seal(1, content), 1, 1000), Err(OpenError::Malformed { field: 0, .. })), "{content:?}");
        }
        assert!(New::open(&crate::seal(1, &[0xa1, 9, 0x82, 0x61, 0xff, 0x41]), 1, 1000).is_err(), "cut short");
        assert!(New::open(&crate::seal(1, &[0xa1, 9, 0x81, 0x41, 0xff]), 1, 1000).is_ok(), "bytes that look like an end");
    }

    proptest! {
        #[test]
        fn random_content_never_panics(bytes: Vec<u8>) {
            let _ = New::open(&crate::seal(1, &bytes), 1, 1000);
        }
    }
}
