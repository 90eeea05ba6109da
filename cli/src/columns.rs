//! Tables for a terminal of 80 columns.

/// A terminal's width.
const WIDTH: usize = 80;

/// The narrowest that a column of text is cut to.
const NARROWEST: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// The lines of a table, its header first. Where it is wider than a terminal, the widest texts are cut.
pub fn table(columns: &[(&str, Align)], rows: &[Vec<String>]) -> Vec<String> {
    let header: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let all = || std::iter::once(&header).chain(rows);
    let widest = |at: usize| all().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or_default();
    let mut widths: Vec<usize> = (0..columns.len()).map(widest).collect();
    let between = 2 * columns.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + between > WIDTH {
        let texts = widths.iter_mut().zip(columns).filter(|(width, (_, align))| *align == Align::Left && **width > NARROWEST);
        match texts.map(|(width, _)| width).max() {
            Some(width) => *width -= 1,
            None => break,
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).zip(columns).map(|((cell, width), (_, align))| {
            let cell = cut(cell, *width);
            match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all().map(line).collect()
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// How long ago something was, by its largest unit: `45s`, `12m`, `5h`, `3d`.
pub fn age(millis: i64) -> String {
    let seconds = millis.max(0) / 1_000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A size in bytes, by its largest unit.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes / 1_024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_a_terminal() {
        let columns = [("channel", Align::Left), ("trigger", Align::Left), ("cause", Align::Left), ("count", Align::Right)];
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let narrow = [row(["email", "welcome", "http_503", "12"]), row(["webhook", "-", "unreadable", "1"])];
        insta::assert_snapshot!(table(&columns, &narrow).join("\n"), @r"
        channel  trigger  cause       count
        email    welcome  http_503       12
        webhook  -        unreadable      1
        ");
        let wide = [row(["email", &"a-long-name-".repeat(6), &"ü".repeat(50), "123456"])];
        let lines = table(&columns, &wide);
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:?}");
        assert!(lines[1].ends_with("123456") && lines[1].contains('…'), "{lines:?}");
        assert_eq!(table(&columns, &[]), ["channel  trigger  cause  count"]);
    }

    #[test]
    fn an_age_has_one_unit() {
        for (seconds, text) in [(-5, "0s"), (59, "59s"), (60, "1m"), (3_599, "59m"), (86_400, "24h"), (172_799, "47h"), (172_800, "2d")] {
            assert_eq!(age(seconds * 1_000), text);
        }
        assert_eq!([size(1_023), size(1_024), size(3 << 20)], ["1023 B", "1 KiB", "3 MiB"]);
    }
}
