//! A profile that changes while it is being sent.

use decision::Outcome;
use delivery::WaitCause;
use sender::Handled;

use crate::local::run;
use crate::world::World;

fn sent(number: usize) -> Handled {
    Handled::Ended(Outcome::Sent { provider_id: format!("id-{number}") })
}

#[test]
fn a_profile_that_moved_is_sent_again_until_it_stands_still() {
    run(async |stack| {
        for moves in 0..=3 {
            let world = World::new(stack, "transactional").await;
            for _ in 0..moves {
                world.sender.provider.follow(world.moving());
            }
            if moves == 0 {
                world.sender.provider.follow(Box::pin(async {}));
            }
            assert_eq!(world.handle().await.unwrap(), sent(moves + 1));
            assert_eq!(world.calls(), moves + 1);
        }
    });
}

#[test]
fn one_that_never_stands_still_goes_back_to_wait() {
    run(async |stack| {
        let world = World::new(stack, "transactional").await;
        for _ in 0..9 {
            world.sender.provider.follow(world.moving());
        }
        assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::Throttled));
        assert_eq!(world.calls(), 4);
        // The next attempt begins anew, and may send.
        while world.calls() < 10 {
            world.handle().await.unwrap();
        }
        assert!(matches!(world.handle().await.unwrap(), Handled::EndedBefore(_)));
    });
}

#[test]
fn what_is_no_profile_is_sent_once() {
    run(async |stack| {
        let world = World::new(stack, "transactional").await;
        world.then("customer.updated", &serde_json::json!({ "locale": "de-DE" })).await;
        assert_eq!(world.handle().await.unwrap(), sent(1));
        assert_eq!(world.calls(), 1);
    });
}
