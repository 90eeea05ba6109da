//! What must hold of what the providers said.

use std::collections::{BTreeMap, BTreeSet};

use decision::FeedbackKind;
use serde_json::{Map, Value};
use trigger::Channel;

use super::check::text;
use super::model::Expected;
use super::reports::{FEEDBACK, Report};
use super::world::{World, queue_url};

/// The function's clock differs so much from a provider's at the most.
const CLOCKS_DIFFER_MILLIS: i64 = 5_000;

/// The reports of which the function must have heard: all but those among the dead letters.
pub struct Heard {
    reports: BTreeMap<String, Vec<Report>>,
    dead: BTreeSet<String>,
}

impl Heard {
    pub fn of(world: &World) -> Self {
        let dead = world.cloud().bodies(&queue_url(&format!("{FEEDBACK}-dead-letters"))).into_iter().collect();
        let mut reports = BTreeMap::<_, Vec<_>>::new();
        for report in world.network.reports.made() {
            reports.entry(report.delivery.clone()).or_default().push(report);
        }
        Self { reports, dead }
    }

    /// Whether anything was said of a delivery: then it may be settled at any time.
    pub fn has(&self, delivery: &str) -> bool {
        self.reports.contains_key(delivery)
    }

    /// Whether the provider said that it took it and did not send it.
    pub fn is_rejected(&self, delivery: &str) -> bool {
        self.reports.get(delivery).into_iter().flatten().any(|report| report.kind == FeedbackKind::Rejected)
    }

    /// Compares the ledger, the suppressions and the stream with what was said.
    pub fn check(&self, world: &World, expected: &Expected, ledger: &BTreeMap<String, Map<String, Value>>, violations: &mut Vec<String>) {
        let nothing = Vec::new();
        for (id, entry) in ledger {
            let reports = self.reports.get(id).unwrap_or(&nothing);
            let mut wrong = |what: String| violations.push(format!("delivery {id}, of which the provider said {reports:?}: {what}"));
            for kind in FeedbackKind::ALL {
                let noted = number(entry, &format!("{}_at", kind.code()));
                let times = reports.iter().filter(|report| report.kind == *kind).map(|report| report.at);
                if noted.is_some_and(|noted| times.clone().all(|at| at != noted)) {
                    wrong(format!("the ledger has {} at {noted:?}", kind.code()));
                }
            }
        }
        for (id, reports) in &self.reports {
            let Some(delivery) = expected.deliveries.get(id) else { continue };
            // Which text message a line of the log is about is in the ledger only if the sender heard SNS's answer.
            if delivery.channel != Channel::Email {
                continue;
            }
            let empty = Map::new();
            let entry = ledger.get(id).unwrap_or(&empty);
            let mut wrong = |what: String| violations.push(format!("delivery {id}, of which the provider said {reports:?}: {what}"));
            let heard: Vec<_> = reports.iter().filter(|report| !report.bodies.iter().any(|body| self.dead.contains(body))).collect();
            if !heard.is_empty() && matches!(text(entry, "status"), "claimed" | "released" | "unknown" | "") {
                wrong(format!("it is {:?}", text(entry, "status")));
            }
            for report in &heard {
                if report.kind.is_noted() {
                    let noted = number(entry, &format!("{}_at", report.kind.code()));
                    if noted.is_none_or(|noted| noted > report.at) {
                        wrong(format!("the ledger has {} at {noted:?}", report.kind.code()));
                    }
                }
                let suppressed = match report.kind {
                    FeedbackKind::Bounced => Some("bounce#email#*"),
                    FeedbackKind::Complained => Some("complaint#email#*"),
                    _ => None,
                };
                if let Some(name) = suppressed {
                    let subject = format!("customer#{}", delivery.customer);
                    let since =
                        world.cloud().find("suppressions", |item| text(item, "subject") == subject).and_then(|item| number(&item, name));
                    if since.is_none_or(|since| since + CLOCKS_DIFFER_MILLIS < report.at) {
                        wrong(format!("the customer is not suppressed: {since:?}"));
                    }
                }
                let code = format!("{id}-{}", report.kind.code());
                let is_told = expected.event_ids.iter().any(|(customer, event)| *customer == delivery.customer && event.starts_with(&code));
                if report.kind.is_always_reported() && !is_told {
                    wrong(format!("the stream was never told {}", report.kind.code()));
                }
            }
        }
    }
}

fn number(item: &Map<String, Value>, name: &str) -> Option<i64> {
    item.get(name)?["N"].as_str()?.parse().ok()
}
