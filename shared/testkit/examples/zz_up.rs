use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use testkit::*;
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let t = Instant::now();
    let ex = Binary::Example { package: "testkit".into(), name: "faulty".into() };
    let o = Options { binaries: BTreeMap::from([("router".into(), ex.clone()), ("email".into(), ex)]), ..Options::default() };
    let mut stack = LocalStack::start(o, &mut |p| eprintln!("{:?} {p}", t.elapsed())).await?;
    eprintln!("{:#?}", stack.outputs());
    let d = Driver::start(&stack).await?;
    eprintln!("driver {:?}", t.elapsed());
    let r = d.wait_until_idle(Duration::from_millis(300), Duration::from_secs(10)).await;
    eprintln!("idle {:?} {:?} {r:?}", t.elapsed(), d.trouble());
    eprintln!("{:?}", d.counts());
    d.stop().await;
    eprintln!("stopped {:?}", t.elapsed());
    stack.reset().await?;
    eprintln!("reset {:?}", t.elapsed());
    eprintln!("{:?}", stack.captured_emails().await?);
    stack.stop();
    eprintln!("end {:?}", t.elapsed());
    Ok(())
}
