//! Tests that are about what is deployed in the local stack.

use testkit::LocalStack;

use crate::local::{LOCAL, Place};

/// Runs a test in the local stack only.
pub fn run_deployed(test: impl AsyncFn(&'static Place, &'static LocalStack)) {
    let [_, deployed] = &LOCAL.places;
    LOCAL.runtime.block_on(test(deployed, &LOCAL._stack));
}
