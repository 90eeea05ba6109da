//! The template as far as it is rewritten: where each function's code lies, and the permissions that the emulator
//! judges otherwise than AWS.
//!
//! Guarantee: every other character stays as it is in the file, and a role that lacks a permission lacks it here too.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

/// The names of the functions' folders, which are the names of their packages, in a template.
pub(crate) fn function_folders(template: &str) -> BTreeSet<String> {
    template.lines().filter_map(code_uri).filter_map(folder).map(str::to_owned).collect()
}

/// Puts `s3://bucket/key` in place of each `CodeUri`.
///
/// # Errors
/// A folder has no package in `keys`.
pub(crate) fn with_code_at(template: &str, bucket: &str, keys: &BTreeMap<String, String>) -> Result<String> {
    template
        .split_inclusive('\n')
        .map(|line| {
            let Some((uri, folder)) = code_uri(line).and_then(|uri| Some((uri, folder(uri)?))) else {
                return Ok(line.to_owned());
            };
            let key =
                keys.get(folder).with_context(|| format!("the template names the function folder {uri}, for which nothing was built"))?;
            Ok(line.replacen(uri, &format!("s3://{bucket}/{key}"), 1))
        })
        .collect()
}

/// Permissions of SQS that cover their batch calls in AWS. The emulator asks for permissions of the batch calls' own
/// names, which do not exist there.
const ALSO_FOR_BATCHES: [&str; 3] = ["sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"];

/// Makes those permissions cover their batch calls here as well.
pub(crate) fn with_batch_calls(template: &str) -> String {
    let mut text = template.to_owned();
    for action in ALSO_FOR_BATCHES {
        let mut parts = text.split(action);
        let mut rewritten = parts.next().unwrap_or_default().to_owned();
        for rest in parts {
            rewritten.push_str(action);
            if !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '*') {
                rewritten.push('*');
            }
            rewritten.push_str(rest);
        }
        text = rewritten;
    }
    text
}

const SEND_EMAIL: &str = "ses:SendEmail";

/// Adds to each statement that allows to send mail one without resource and condition: the emulator does not know which
/// identity a mail is from, and so refuses what a statement allows for one identity only.
pub(crate) fn with_mail_from_anybody(template: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut added: Vec<(usize, String)> = Vec::new();
    for line in template.split_inclusive('\n') {
        lines.push(line);
        if !line.contains(SEND_EMAIL) || line.trim_start().starts_with('#') {
            continue;
        }
        let statement =
            lines.iter().rposition(|line| ["- Sid:", "- Effect:", "- {"].iter().any(|start| line.trim_start().starts_with(start)));
        if let Some((at, first)) = statement.and_then(|at| Some((at, lines.get(at)?))) {
            let indent: String = first.chars().take_while(|letter| *letter == ' ').collect();
            added.push((at, format!("{indent}- {{ Effect: Allow, Action: {SEND_EMAIL}, Resource: \"*\" }}\n")));
        }
    }
    let mut text = String::new();
    for (at, line) in lines.into_iter().enumerate() {
        added.iter().filter(|(before, _)| *before == at).for_each(|(_, statement)| text.push_str(statement));
        text.push_str(line);
    }
    text
}

/// The names of the parameters that a template declares.
pub(crate) fn parameters(template: &str) -> BTreeSet<String> {
    template
        .lines()
        .skip_while(|line| line.trim_end() != "Parameters:")
        .skip(1)
        .take_while(|line| line.starts_with([' ', '#']) || line.trim().is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with([' ', '#'])))
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The value of a `CodeUri` line, without quotes and comment.
fn code_uri(line: &str) -> Option<&str> {
    let value = line.trim().strip_prefix("CodeUri:")?;
    let value = value.split(" #").next().unwrap_or_default().trim();
    let value = value.trim_matches(['"', '\'']);
    (!value.is_empty() && !value.starts_with(['{', '!'])).then_some(value)
}

fn folder(uri: &str) -> Option<&str> {
    if uri.starts_with("s3://") {
        return None;
    }
    uri.trim_end_matches('/').rsplit('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "\
Parameters:
  # Who sends.
  EmailFrom:
    Type: String

  Architecture: { Type: String }
Resources:
  Router:
    Properties:
      CodeUri: functions/router # the crate
      Handler: bootstrap
  Email:
    Properties:
      CodeUri: \"./functions/email/\"
  Other:
    Properties: { CodeUri: x }
";

    #[test]
    fn the_parameters_are_those_of_their_section() {
        assert_eq!(parameters(TEMPLATE), BTreeSet::from(["Architecture".to_owned(), "EmailFrom".to_owned()]));
    }

    #[test]
    fn the_folder_of_each_code_uri_is_a_function() {
        assert_eq!(function_folders(TEMPLATE), BTreeSet::from(["email".to_owned(), "router".to_owned()]));
    }

    #[test]
    fn only_the_code_uris_change() {
        let keys = BTreeMap::from([("router".to_owned(), "r.zip".to_owned()), ("email".to_owned(), "e.zip".to_owned())]);
        let rewritten = with_code_at(TEMPLATE, "code", &keys).unwrap();
        let expected = TEMPLATE
            .replace("CodeUri: functions/router #", "CodeUri: s3://code/r.zip #")
            .replace("\"./functions/email/\"", "\"s3://code/e.zip\"");
        assert_eq!(rewritten, expected);
    }

    #[test]
    fn permissions_cover_their_batch_calls() {
        let template =
            "Action: [sqs:SendMessage, sqs:DeleteMessageBatch, sqs:ReceiveMessage]\n- sqs:ChangeMessageVisibility\n- sqs:SendMessage*\n";
        let expected =
            "Action: [sqs:SendMessage*, sqs:DeleteMessageBatch, sqs:ReceiveMessage]\n- sqs:ChangeMessageVisibility*\n- sqs:SendMessage*\n";
        assert_eq!(with_batch_calls(template), expected);
    }

    #[test]
    fn whoever_may_send_mail_may_send_it_from_anybody_and_nobody_else_may() {
        let template = "\
  Statement:
    - Sid: Read
      Action: sqs:ReceiveMessage
    # ses:SendEmail comes next.
    - Sid: Send
      Effect: Allow
      Action: ses:SendEmail
      Resource: identity
";
        let added = "    - { Effect: Allow, Action: ses:SendEmail, Resource: \"*\" }\n    - Sid: Send\n";
        assert_eq!(with_mail_from_anybody(template), template.replace("    - Sid: Send\n", added));
        let without = template.replace("      Action: ses:SendEmail\n", "");
        assert_eq!(with_mail_from_anybody(&without), without);
    }

    #[test]
    fn a_folder_without_a_package_is_an_error() {
        let error = with_code_at(TEMPLATE, "code", &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("functions/router"), "{error}");
    }
}
