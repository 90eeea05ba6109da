//! The filters that mails need beyond the template language's own: `money`, `date`, and a `default` for null.

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value, escape_formatter};

use crate::render::{Bounded, MAX_OUTPUT};

const NO_AMOUNT: &str = "money needs a number, as in 80 or \"79.90\"";
const NO_CURRENCY: &str = "money needs a currency of three capital letters, as in money(\"EUR\")";
const NO_DATE: &str = "date needs a date or an RFC 3339 time, as in 2026-03-03T10:00:00Z";

const NO_JSON: &str = "tojson needs a value that has a JSON form of at most 524288 bytes (512 KiB)";

/// What these filters say; none of it is a value of the context.
pub(crate) const MESSAGES: &[&str] = &[NO_AMOUNT, NO_CURRENCY, NO_DATE, NO_JSON];

pub(crate) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("money", money);
    environment.add_filter("date", date);
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("tojson", to_json);
    // It prints a value however large it is.
    environment.remove_filter("pprint");
    environment.set_formatter(|output, state, value| {
        if value.is_none() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        escape_formatter(output, state, value)
    });
}

fn refuse(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// The value, or another where it is missing or null (or, with `true`, empty).
fn default(value: &Value, other: Option<&Value>, empty_too: Option<bool>) -> Value {
    let absent = value.is_undefined() || value.is_none();
    if absent || (empty_too.unwrap_or(false) && !value.is_true()) {
        return other.cloned().unwrap_or_else(|| Value::from(""));
    }
    value.clone()
}

/// The value as JSON, for a script or an attribute; none that is larger than a mail may be. A list of lists of one list is short
/// in memory and has no end when it is printed.
fn to_json(value: &Value) -> Result<Value, Error> {
    let mut output = Bounded::new(MAX_OUTPUT);
    serde_json::to_writer(&mut output, value).map_err(|_| refuse(NO_JSON))?;
    minijinja::filters::tojson(value, None, Kwargs::from_iter::<[(&str, Value); 0]>([]))
}

/// An amount and its currency, in English: `€1,234.50`, `CHF 80.00`, `¥1,200`.
fn money(amount: &Value, currency: &str) -> Result<String, Error> {
    let known = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    if !known {
        return Err(refuse(NO_CURRENCY));
    }
    let amount = decimal(amount).ok_or_else(|| refuse(NO_AMOUNT))?;
    let (negative, digits) = match amount.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, amount.as_str()),
    };
    let rounded = round(digits, decimals(currency)).ok_or_else(|| refuse(NO_AMOUNT))?;
    let sign = if negative && rounded.contains(|c: char| matches!(c, '1'..='9')) { "-" } else { "" };
    Ok(match currency {
        "EUR" => format!("{sign}€{rounded}"),
        "USD" => format!("{sign}${rounded}"),
        "GBP" => format!("{sign}£{rounded}"),
        "JPY" => format!("{sign}¥{rounded}"),
        other => format!("{sign}{other} {rounded}"),
    })
}

/// The decimal text of a number, or of a text that is one; none of 1e15 and more, which no double holds to the cent.
fn decimal(value: &Value) -> Option<String> {
    let text = match (value.as_str(), i128::try_from(value.clone())) {
        (Some(text), _) => text.to_owned(),
        (None, _) if !value.is_number() => return None,
        (None, Ok(whole)) => whole.to_string(),
        (None, Err(_)) => f64::try_from(value.clone()).ok()?.to_string(),
    };
    let unsigned = text.strip_prefix('-').unwrap_or(&text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(fraction) && whole.len() <= 15).then_some(text)
}

/// How many decimals the currency's amounts have (ISO 4217).
fn decimals(currency: &str) -> usize {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// Rounds decimal digits half up, with commas between thousands.
fn round(digits: &str, decimals: usize) -> Option<String> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    let up = fraction.chars().nth(decimals).is_some_and(|next| next >= '5');
    let number: u128 = format!("{whole}{kept}").parse().ok()?;
    let number = number.checked_add(u128::from(up))?;
    let text = format!("{number:0>width$}", width = decimals + 1);
    let (whole, kept) = text.split_at_checked(text.len().checked_sub(decimals)?)?;
    let mut grouped = String::new();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if decimals > 0 {
        grouped.push('.');
        grouped.push_str(kept);
    }
    Some(grouped)
}

/// The day of a date or of an RFC 3339 time, as written there: `3 March 2026`.
fn date(text: &str) -> Result<String, Error> {
    written_day(text).ok_or_else(|| refuse(NO_DATE))
}

fn written_day(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    let (day, rest) = text.split_at_checked(10)?;
    if !rest.is_empty() && !rest.starts_with(['T', 't', ' ']) {
        return None;
    }
    let mut parts = day.split('-');
    let mut number = |width: usize| -> Option<usize> {
        let part = parts.next()?;
        let digits = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let longest = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let name = MONTHS.get(month.checked_sub(1)?)?;
    (1..=longest).contains(&day).then(|| format!("{day} {name} {year}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(expression: &str) -> Result<String, String> {
        let mut environment = Environment::new();
        add(&mut environment);
        environment.render_str(&format!("{{{{ {expression} }}}}"), ()).map_err(|error| error.detail().unwrap_or_default().to_owned())
    }

    #[test]
    fn money_has_the_sign_and_the_decimals_of_its_currency() {
        for (expression, expected) in [
            ("80 | money('EUR')", "€80.00"),
            ("1234567.5 | money('USD')", "$1,234,567.50"),
            ("79.9 | money('GBP')", "£79.90"),
            ("'79.90' | money('CHF')", "CHF 79.90"),
            ("1200 | money('JPY')", "¥1,200"),
            ("0.5 | money('KWD')", "KWD 0.500"),
            ("1.005 | money('EUR')", "€1.01"),
            ("999.995 | money('EUR')", "€1,000.00"),
            ("(-5) | money('EUR')", "-€5.00"),
            ("(-0.001) | money('EUR')", "€0.00"),
            ("0 | money('EUR')", "€0.00"),
        ] {
            assert_eq!(evaluated(expression).as_deref(), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn money_refuses_what_is_no_amount_or_no_currency() {
        for expression in ["'a lot' | money('EUR')", "true | money('EUR')", "1e30 | money('EUR')", "[] | money('EUR')"] {
            assert_eq!(evaluated(expression), Err(NO_AMOUNT.to_owned()), "{expression}");
        }
        assert_eq!(evaluated("1 | money('euro')"), Err(NO_CURRENCY.to_owned()));
    }

    #[test]
    fn a_date_is_the_day_as_written() {
        for (text, expected) in [
            ("2026-03-03T10:00:00Z", "3 March 2026"),
            ("2026-12-31T23:30:00+14:00", "31 December 2026"),
            ("2024-02-29", "29 February 2024"),
        ] {
            assert_eq!(evaluated(&format!("'{text}' | date")).as_deref(), Ok(expected));
        }
        for text in ["", "2026-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "3 March", "2026-3-03", "20260303", "ä026-03-03"] {
            assert_eq!(evaluated(&format!("'{text}' | date")), Err(NO_DATE.to_owned()), "{text}");
        }
    }
}
