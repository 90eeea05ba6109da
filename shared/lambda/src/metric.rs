//! Metrics: lines on standard output that CloudWatch reads out of the log (the Embedded Metric Format, EMF).
//!
//! Such a line is a JSON object of its own shape, so it does not go through the log, which would put fields around it.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use event::Time;
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "CustomerTriggers";

/// Where lines of metrics go.
#[derive(Clone)]
pub struct Metrics(Arc<dyn Fn(&str) + Send + Sync>);

impl Metrics {
    /// To whoever takes lines.
    pub fn new(line: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(line))
    }

    /// Writes some metrics, all of them counts, of one channel at one time. Neither names nor numbers are about a customer.
    pub fn put(&self, at: Time, channel: &str, counts: &[(&str, u64)]) {
        self.0(&line(at, channel, counts));
    }
}

/// Standard output, a line at a time. A line that cannot be written is left out: no delivery fails for a metric.
impl Default for Metrics {
    fn default() -> Self {
        Self::new(|line| {
            let mut out = std::io::stdout().lock();
            let _nobody_listens = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
        })
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

fn line(at: Time, channel: &str, counts: &[(&str, u64)]) -> String {
    let metrics: Vec<_> = counts.iter().map(|(name, _)| json!({ "Name": name, "Unit": "Count" })).collect();
    let about = json!({
        "Timestamp": at.millis(),
        "CloudWatchMetrics": [{ "Namespace": NAMESPACE, "Dimensions": [["channel"]], "Metrics": metrics }],
    });
    let mut fields = Map::new();
    fields.insert("_aws".to_owned(), about);
    fields.insert("channel".to_owned(), json!(channel));
    fields.extend(counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))));
    Value::Object(fields).to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_line_is_what_cloudwatch_looks_for() {
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let metrics = {
            let lines = Arc::clone(&lines);
            Metrics::new(move |line| lines.lock().unwrap().push(line.to_owned()))
        };
        metrics.put(Time::from_millis(1_772_359_200_000), "email", &[("BreakerOpen", 1), ("DeliveriesWaiting", 7)]);
        let expected = concat!(
            r#"{"_aws":{"Timestamp":1772359200000,"CloudWatchMetrics":[{"Namespace":"CustomerTriggers","Dimensions":[["channel"]],"#,
            r#""Metrics":[{"Name":"BreakerOpen","Unit":"Count"},{"Name":"DeliveriesWaiting","Unit":"Count"}]}]},"#,
            r#""channel":"email","BreakerOpen":1,"DeliveriesWaiting":7}"#
        );
        assert_eq!(*lines.lock().unwrap(), [expected]);
    }
}
