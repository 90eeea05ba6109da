//! The document that `when.customer` is matched against.

use pattern::Json;
use serde_json::json;

use crate::Customer;
use trigger::Channel;

/// `{traits, locale, time_zone, has: {email, phone}, consent: {purpose: [channels]}}`; addresses themselves are not in it.
#[must_use]
pub fn document(customer: &Customer) -> Json {
    let mut document = json!({
        "traits": customer.traits(),
        "has": { "email": customer.has_address(Channel::Email), "phone": customer.has_address(Channel::Sms) },
        "consent": customer.consented(),
    });
    for (name, value) in [("locale", &customer.locale), ("time_zone", &customer.time_zone)] {
        if let (Some(fields), Some(value)) = (document.as_object_mut(), value) {
            fields.insert(name.to_owned(), json!(value));
        }
    }
    Json::from(&document)
}
