//! What bench/watch.py measures `cargo lambda watch` with: a function whose answer is a number that each save changes.

use lambda_runtime::{run, service_fn, Error, LambdaEvent};
use serde_json::{json, Value};

const NUMBER: u32 = 0;

async fn answer(_: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(json!({ "number": NUMBER }))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    run(service_fn(answer)).await
}
