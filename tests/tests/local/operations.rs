//! The tables of `docs/operations.md`, read back, so that the document says what the code does.

use std::path::Path;

use sender::SendError;

fn document() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|folder| folder.join("template.yaml").is_file());
    std::fs::read_to_string(root.expect("a folder of the workspace").join("docs/operations.md")).expect("the document can be read")
}

/// The rows of the one table whose first heading is this, and its headings before them.
pub fn table(first_heading: &str) -> Vec<Vec<String>> {
    let document = document();
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let from = document.lines().skip_while(|line| !line.starts_with(&format!("| {first_heading} |")));
    let rows: Vec<_> = from.take_while(|line| line.starts_with('|')).filter(|line| !line.starts_with("|-")).map(cells).collect();
    assert!(rows.len() > 2, "no table begins with {first_heading}");
    assert!(rows.iter().all(|row| Some(row.len()) == rows.first().map(Vec::len)), "a row of {first_heading} has other columns");
    rows
}

/// What an answer counts as, in the document's words.
pub fn kind(error: &SendError) -> &'static str {
    match error {
        SendError::Throttled { retry_after_millis: None, .. } => "throttled",
        SendError::Throttled { retry_after_millis: Some(_), .. } => "throttled, with a time",
        SendError::Stopped { .. } => "stopped",
        SendError::Unavailable { .. } => "unavailable",
        SendError::NotSent { .. } => "not sent",
        SendError::Rejected { .. } => "rejected",
        SendError::Ambiguous { .. } => "ambiguous",
    }
}

/// Each example that the document has for a channel, with what it counts as.
pub fn examples(channel: &str) -> Vec<(String, String)> {
    let rows = table("counts as");
    let column = rows.first().and_then(|headings| headings.iter().position(|heading| heading.starts_with(channel)));
    let column = column.expect("a column for the channel");
    let mut examples = Vec::new();
    for row in rows.iter().skip(1) {
        let (Some(kind), Some(cell)) = (row.first(), row.get(column)) else { continue };
        // Every other piece stands between two back quotes.
        examples.extend(cell.split('`').skip(1).step_by(2).map(|example| (kind.clone(), example.to_owned())));
    }
    assert!(examples.len() > 5, "{channel}: {examples:?}");
    examples
}
