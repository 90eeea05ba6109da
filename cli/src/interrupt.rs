//! Ctrl-C, for a command that must put things back before it ends.

use std::process::ExitCode;

use tokio::sync::watch;

/// What a shell makes of a program that was interrupted.
const INTERRUPTED: u8 = 130;

/// Whether somebody asked the command to end. It is asked between two calls, so that no call is cut off in the middle.
#[derive(Clone)]
pub struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens from now on. The first Ctrl-C, or a SIGTERM, asks; the second one ends the program where it stands.
    pub fn listen() -> Self {
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            while signal().await {
                if sender.send_replace(true) {
                    std::process::exit(i32::from(INTERRUPTED));
                }
            }
        });
        Self(receiver)
    }

    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it is asked.
    pub async fn asked(&self) {
        let mut receiver = self.0.clone();
        // Nobody listens any more only when no signal can be received; then nobody asks either.
        if receiver.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    pub fn exit_code() -> ExitCode {
        ExitCode::from(INTERRUPTED)
    }
}

/// Waits for a signal; false where none can be received.
async fn signal() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            return tokio::select! {
                interrupted = tokio::signal::ctrl_c() => interrupted.is_ok(),
                terminated = terminated.recv() => terminated.is_some(),
            };
        }
    }
    tokio::signal::ctrl_c().await.is_ok()
}
