//! Each file in `tests/invalid` has the problems that the `.problems` file beside it states, all of them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

fn invalid_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "problems"))
        .collect();
    files.sort();
    files
}

fn problems(file: &Path) -> String {
    let name = file.file_name().unwrap().to_str().unwrap();
    let text = fs::read_to_string(file).unwrap();
    let found = trigger::parse(name, &text).expect_err("the file is invalid");
    found.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn an_invalid_file_reports_all_its_problems() {
    let files = invalid_files();
    assert!(files.len() > 10, "the folder of invalid files is almost empty");
    for file in files {
        let stated = file.with_extension("problems");
        let found = problems(&file);
        let stated = fs::read_to_string(stated).unwrap_or_default();
        assert_eq!(found, stated, "{}", file.display());
    }
}
