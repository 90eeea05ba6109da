//! The template, held against the functions that it deploys.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn functions() -> Vec<String> {
    let list = std::fs::read_dir(root().join("functions")).expect("functions/ can be listed");
    let mut names: Vec<_> = list.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

/// The lines of one resource, without its name.
fn resource<'a>(template: &'a str, name: &str) -> Vec<&'a str> {
    let lines = template.lines().skip_while(|line| *line != format!("  {name}:")).skip(1);
    lines.take_while(|line| line.starts_with("   ") || line.trim().is_empty()).collect()
}

fn pascal_case(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[test]
fn folder_crate_binary_and_resource_have_one_name() {
    let template = read("template.yaml");
    for name in functions() {
        assert!(read(&format!("functions/{name}/Cargo.toml")).contains(&format!("name = \"{name}\"")), "{name}'s crate has another name");
        let resource = resource(&template, &pascal_case(&name));
        let code = format!("CodeUri: functions/{name}");
        assert!(resource.iter().any(|line| line.trim().trim_end_matches('/') == code), "no resource {} has {code}", pascal_case(&name));
    }
}

#[test]
fn a_function_is_given_exactly_the_variables_that_it_reads() {
    let template = read("template.yaml");
    for name in functions() {
        let main = read(&format!("functions/{name}/src/main.rs"));
        let read: BTreeSet<_> = ["env.text(\"", "env.optional(\"", "env.number(\""]
            .into_iter()
            .flat_map(|call| main.match_indices(call).map(move |(at, _)| at + call.len()))
            .filter_map(|at| main.get(at..)?.split('"').next())
            .collect();
        let resource = resource(&template, &pascal_case(&name));
        let variables = resource.iter().skip_while(|line| line.trim() != "Variables:").skip(1);
        let given: BTreeSet<_> =
            variables.take_while(|line| line.starts_with("          ")).filter_map(|line| line.trim().split(':').next()).collect();
        // The SDK itself reads the endpoint, which is given in local runs only.
        let given: BTreeSet<_> = given.into_iter().filter(|name| *name != "AWS_ENDPOINT_URL" && !name.starts_with('#')).collect();
        assert_eq!(read, given, "{name}");
    }
}

#[test]
fn every_event_source_reports_what_failed_and_can_be_deployed_at_rest() {
    let template = read("template.yaml");
    let mappings: Vec<_> = template.split("Type: AWS::Lambda::EventSourceMapping").skip(1).collect();
    assert_eq!(mappings.len(), functions().len());
    for mapping in mappings {
        let mapping = mapping.split("\n\n").next().unwrap_or_default();
        assert!(mapping.contains("FunctionResponseTypes: [ReportBatchItemFailures]"), "{mapping}");
        assert!(mapping.contains("Enabled: !If [Polling, true, false]"), "{mapping}");
    }
}

#[test]
fn each_sender_has_an_alarm_on_its_breaker() {
    let template = read("template.yaml");
    let senders: Vec<_> =
        functions().into_iter().filter(|name| read(&format!("functions/{name}/src/main.rs")).contains("Breakers::default()")).collect();
    assert_eq!(senders, ["crm", "email", "sms", "webhook"]);
    for name in senders {
        let alarm = resource(&template, &format!("{}BreakerOpen", pascal_case(&name)));
        let says = |line: &str| assert!(alarm.iter().any(|other| other.trim() == line), "{name}: no {line}");
        says("Type: AWS::CloudWatch::Alarm");
        // As shared/sender and shared/lambda write it.
        says("Namespace: CustomerTriggers");
        says("MetricName: BreakerOpen");
        says(&format!("Dimensions: [{{ Name: channel, Value: {name} }}]"));
        says("TreatMissingData: notBreaching");
    }
}

/// A phone number has no ARN. What has one, a topic or an app's endpoint, is denied in the same breath.
const TEXT_MESSAGES: &str = "              - Sid: SendToPhoneNumbers
                Effect: Allow
                Action: sns:Publish
                Resource: \"*\"
              - Sid: AndToNothingElse
                Effect: Deny
                Action: sns:Publish
                Resource: !Sub arn:${AWS::Partition}:sns:*:*:*
";

#[test]
fn no_function_may_do_something_to_everything() {
    let template = read("template.yaml");
    assert_eq!(template.matches(TEXT_MESSAGES).count(), 1, "only the sms function sends to phone numbers");
    let roles = template.split("Type: AWS::IAM::Role").skip(1);
    let mut seen = 0;
    for role in roles {
        let role = role.split("\n\n").next().unwrap_or_default().replacen(TEXT_MESSAGES, "", 1);
        assert!(!role.contains("Resource: \"*\"") && !role.contains("Resource: '*'"), "{role}");
        assert!(!role.contains(":*\"]") && !role.contains("Action: \"*\""), "{role}");
        seen += 1;
    }
    assert_eq!(seen, functions().len());
}

#[test]
fn what_is_kept_outlives_the_stack() {
    let template = read("template.yaml");
    for name in [
        "Stream",
        "Triggers",
        "Customers",
        "Events",
        "Deliveries",
        "Suppressions",
        "EmailQueue",
        "EmailDeadLetters",
        "SmsQueue",
        "SmsDeadLetters",
        "CrmQueue",
        "CrmDeadLetters",
        "WebhookQueue",
        "WebhookDeadLetters",
        "FeedbackQueue",
        "FeedbackDeadLetters",
        "Statistics",
        "AddressKey",
        "CrmAccess",
        "WebhookEndpoints",
        "Quarantine",
        "OnFailure",
        "Key",
    ] {
        let resource = resource(&template, name);
        assert!(resource.iter().any(|line| line.trim() == "DeletionPolicy: Retain"), "{name} is deleted with the stack");
        assert!(resource.iter().any(|line| line.trim() == "UpdateReplacePolicy: Retain"), "{name} is deleted when it is replaced");
    }
}
