//! What the local stack is doing, for a person who waits.

use std::fmt;

/// One step of starting the local stack. `Display` is a line for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The Python packages of the local AWS are being installed; only the first time.
    InstallingPython,
    /// The local AWS is starting.
    StartingAws,
    /// Cargo builds the functions; `line` is what it said last.
    Building {
        /// One line of Cargo's own output.
        line: String,
    },
    /// A function's binary is being stripped and zipped.
    Packing {
        /// The function.
        function: String,
    },
    /// CloudFormation creates the stack; `resources` exist already.
    Deploying {
        /// Resources created so far.
        resources: usize,
    },
    /// The stack is ready.
    Ready {
        /// Where the local AWS listens.
        endpoint: String,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InstallingPython => write!(f, "installing the local AWS (the first time only)"),
            Self::StartingAws => write!(f, "starting the local AWS"),
            Self::Building { line } => write!(f, "building the functions: {line}"),
            Self::Packing { function } => write!(f, "packing {function}"),
            Self::Deploying { resources: 0 } => write!(f, "deploying the template"),
            Self::Deploying { resources } => write!(f, "deploying the template: {resources} resources"),
            Self::Ready { endpoint } => write!(f, "ready at {endpoint}"),
        }
    }
}
