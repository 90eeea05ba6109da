//! What is told of dead letters.

use std::collections::BTreeMap;

use event::Time;

use super::letter::Letter;
use crate::columns::{Align, age, table};
use crate::screen::count;

/// The letters by channel, trigger and cause, the most frequent first within a channel.
pub fn summary<'l>(letters: impl IntoIterator<Item = &'l Letter>, now: Time) -> Vec<String> {
    let mut groups = BTreeMap::<(&str, &str, &str), (usize, i64)>::new();
    for letter in letters {
        let group = groups.entry((&letter.channel, letter.trigger(), &letter.cause)).or_default();
        *group = (group.0 + 1, group.1.max(now.since(letter.sent)));
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|((one, ..), (many, _)), ((other, ..), (few, _))| one.cmp(other).then(few.cmp(many)));
    let row = |((channel, trigger, cause), (number, oldest)): ((&str, &str, &str), (usize, i64))| {
        vec![channel.to_owned(), trigger.to_owned(), cause.to_owned(), number.to_string(), age(oldest)]
    };
    let rows: Vec<_> = groups.into_iter().map(row).collect();
    let columns =
        [("channel", Align::Left), ("trigger", Align::Left), ("cause", Align::Left), ("count", Align::Right), ("oldest", Align::Right)];
    table(&columns, &rows)
}

/// What the numbers of a redrive do not say: letters that will be sent to nobody.
pub fn forecast<'l>(letters: impl IntoIterator<Item = &'l Letter>, now: Time) -> Vec<String> {
    let (mut ended, mut late) = (0, 0);
    for letter in letters {
        if letter.is_settled() {
            ended += 1;
        } else if letter.is_too_late(now) {
            late += 1;
        }
    }
    let mut lines = Vec::new();
    if late > 0 {
        lines.push(format!("too late to be sent: {late}; these end as expired"));
    }
    if ended > 0 {
        lines.push(format!("ended before, by the ledger: {ended}; nothing is sent for these"));
    }
    lines
}

/// What a redrive came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// On their queue again, and no longer among the dead letters.
    pub redriven: usize,
    /// On their queue again, and perhaps still among the dead letters.
    pub doubled: usize,
    /// Still among the dead letters, by why their queue did not take them.
    pub refused: BTreeMap<String, usize>,
}

impl Tally {
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} redriven", count(self.redriven, "dead letter"))];
        if self.doubled > 0 {
            lines.push(format!(
                "redriven, and perhaps still among the dead letters: {}; that is harmless, the ledger knows each delivery",
                self.doubled
            ));
        }
        for (code, number) in &self.refused {
            lines.push(format!("not taken by the queue, and still among the dead letters: {number}, {code}"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use aws::LedgerEntry;
    use decision::Outcome;

    use super::super::letter::Known;
    use super::super::samples::{NOW, message, raw, record};
    use super::*;

    fn letter(channel: &str, trigger: &str, age_millis: i64, known: Known) -> Letter {
        let text = message().to_text().replace("welcome", trigger);
        Letter::new(channel, &raw(&text, age_millis), known, NOW)
    }

    fn released(cause: &str) -> Known {
        Known::Record(record(LedgerEntry::Released(aws::Earlier::NotTaken), Some(cause)))
    }

    #[test]
    fn letters_are_counted_by_channel_trigger_and_cause() {
        let hour = 3_600_000;
        let mut letters = vec![
            letter("webhook", "big-order-thanks", 50 * hour, Known::Nothing),
            letter("email", "welcome", hour, released("Throttling")),
            letter("email", "a-name-that-is-as-long-as-a-name-can-be-and-then-some-more-of-it", 2 * hour, released("http_503")),
            letter("email", "welcome", 3 * hour, released("http_503")),
            letter("email", "welcome", 2 * hour, released("http_503")),
        ];
        letters.push(Letter::new("feedback", &raw("{}", 5_000), Known::Nothing, NOW));
        insta::assert_snapshot!(summary(&letters, NOW).join("\n"), @r"
        channel   trigger                                   cause          count  oldest
        email     welcome                                   http_503           2      3h
        email     a-name-that-is-as-long-as-a-name-can-be…  http_503           1      2h
        email     welcome                                   Throttling         1      1h
        feedback  -                                         unreadable         1      5s
        webhook   big-order-thanks                          never_claimed      1      2d
        ");
        assert!(summary(&letters, NOW).iter().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn it_is_said_what_will_be_sent_to_nobody() {
        let settled = || Known::Record(record(LedgerEntry::Settled(Outcome::Unknown), None));
        let letters = [letter("email", "welcome", 1, settled()), letter("email", "welcome", 1, Known::Nothing)];
        assert_eq!(forecast(&letters, NOW), ["ended before, by the ledger: 1; nothing is sent for these"]);
        // Right at its end a delivery is still sent.
        let end = message().not_after;
        assert_eq!(forecast(&letters, end), ["ended before, by the ledger: 1; nothing is sent for these"]);
        assert_eq!(
            forecast(&letters, end.plus(1)),
            ["too late to be sent: 1; these end as expired", "ended before, by the ledger: 1; nothing is sent for these"]
        );
        assert!(forecast([], NOW).is_empty());
    }

    #[test]
    fn a_redrive_says_where_each_letter_is() {
        let refused = [("InternalError".to_owned(), 2)].into();
        insta::assert_snapshot!(Tally { redriven: 1, doubled: 3, refused }.lines().join("\n"), @r"
        1 dead letter redriven
        redriven, and perhaps still among the dead letters: 3; that is harmless, the ledger knows each delivery
        not taken by the queue, and still among the dead letters: 2, InternalError
        ");
        assert_eq!(Tally { redriven: 2, ..Tally::default() }.lines(), ["2 dead letters redriven"]);
    }
}
