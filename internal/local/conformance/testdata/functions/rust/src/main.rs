//! An ordinary function on lambda_runtime. The handler's name (_HANDLER) says what it does.

use std::{
    convert::Infallible,
    env, future,
    io::{Read, Write},
    net::TcpStream,
    process,
    time::Duration,
};

use lambda_runtime::{
    run, service_fn, spawn_graceful_shutdown_handler, streaming, Diagnostic, Error, LambdaEvent,
};
use serde_json::{json, value::RawValue, Value};
use tokio::signal::unix::{signal, SignalKind};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    match env::var("_HANDLER")?.as_str() {
        "describe" => run(service_fn(describe)).await,
        "echo" => run(service_fn(echo)).await,
        "size" => run(service_fn(size)).await,
        "answer-of-size" => run(service_fn(answer_of_size)).await,
        "print" => run(service_fn(print)).await,
        "fail" => run(service_fn(fail)).await,
        "panic" => run(service_fn(panics)).await,
        "init-error" => {
            eprintln!("no table");
            process::exit(1);
        }
        "sigterm" => {
            spawn_graceful_shutdown_handler(|| async { clean_up() }).await;
            run(service_fn(echo)).await
        }
        "sigterm-hang" => {
            spawn_graceful_shutdown_handler(|| async { clean_up() }).await;
            run(service_fn(hang)).await
        }
        "sigterm-unregistered" => {
            let mut terminated = signal(SignalKind::terminate())?;
            tokio::spawn(async move {
                terminated.recv().await;
                clean_up();
            });
            run(service_fn(echo)).await
        }
        "stream" => run(service_fn(stream)).await,
        other => Err(format!("unknown handler {other}").into()),
    }
}

async fn describe(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    let (installation, custom) = match context.client_context {
        Some(c) => (c.client.installation_id, c.custom),
        None => Default::default(),
    };
    let (identity, pool) = match context.identity {
        Some(i) => (i.identity_id, i.identity_pool_id),
        None => Default::default(),
    };
    Ok(json!({
        "event": event,
        "deadlineMs": context.deadline,
        "requestId": context.request_id,
        "invokedArn": context.invoked_function_arn,
        "traceId": context.xray_trace_id,
        "installationId": installation,
        "custom": custom,
        "identityId": identity,
        "identityPoolId": pool,
        "runtimeApi": env::var("AWS_LAMBDA_RUNTIME_API")?,
    }))
}

async fn echo(event: LambdaEvent<Box<RawValue>>) -> Result<Box<RawValue>, Infallible> {
    Ok(event.payload)
}

async fn size(event: LambdaEvent<Box<RawValue>>) -> Result<usize, Infallible> {
    Ok(event.payload.get().len())
}

async fn answer_of_size(event: LambdaEvent<usize>) -> Result<String, Infallible> {
    Ok("x".repeat(event.payload - r#""""#.len()))
}

async fn print(event: LambdaEvent<String>) -> Result<(), Infallible> {
    println!("{}", event.payload);
    Ok(())
}

#[derive(Debug)]
struct QuotaError;

impl From<QuotaError> for Diagnostic {
    fn from(_: QuotaError) -> Self {
        Diagnostic {
            error_type: "QuotaError".into(),
            error_message: "no quota left".into(),
        }
    }
}

async fn fail(event: LambdaEvent<bool>) -> Result<&'static str, QuotaError> {
    if event.payload {
        return Err(QuotaError);
    }
    Ok("fine")
}

async fn panics(event: LambdaEvent<bool>) -> Result<&'static str, Infallible> {
    if event.payload {
        panic!("out of cheese");
    }
    Ok("fine")
}

async fn hang(_: LambdaEvent<Value>) -> Result<(), Infallible> {
    println!("hanging");
    future::pending().await
}

/// What a function does on SIGTERM: it says goodbye to a server, which takes a working process.
fn clean_up() {
    let goodbye = env::var("GOODBYE").expect("GOODBYE says where to");
    let address = goodbye.strip_prefix("http://").expect("GOODBYE is a URL");
    let mut server = TcpStream::connect(address).expect("the server listens");
    server
        .set_read_timeout(Some(Duration::from_secs(1)))
        .expect("a timeout");
    write!(server, "GET / HTTP/1.0\r\n\r\n").expect("the server reads");
    server
        .read_to_end(&mut Vec::new())
        .expect("the server answers");
    println!("cleaned up");
    process::exit(0);
}

async fn stream(_: LambdaEvent<Value>) -> Result<streaming::Response<streaming::Body>, Infallible> {
    let (mut sender, body) = streaming::channel();
    tokio::spawn(async move { sender.send_data("hello".into()).await });
    Ok(streaming::Response::from(body))
}
