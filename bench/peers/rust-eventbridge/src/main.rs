//! The token customizer of bench/peers/rust-customizer, which also puts an event on a bus: bounded in time, and without failing the sign-in.

use std::{env, time::Duration, time::Instant};

use aws_lambda_events::cognito::{
    ClaimsAndScopeOverrideDetailsV2, CognitoAccessTokenGenerationV2,
    CognitoEventUserPoolsPreTokenGenV2 as Event, CognitoIdTokenGenerationV2,
};
use aws_sdk_eventbridge::{
    config::{retry::RetryConfig, timeout::TimeoutConfig},
    types::PutEventsRequestEntry,
    Client,
};
use lambda_runtime::{run, service_fn, Error, LambdaEvent};
use serde_json::{json, Value};

const CLAIMS: [(&str, &str); 2] = [("tenant_id", "custom:tenant_id"), ("plan", "custom:plan")];
const PUBLISH_TIMEOUT: Duration = Duration::from_millis(800);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = &client().await?;
    let bus = &env::var("EVENT_BUS_NAME")?;
    run(service_fn(move |invocation| {
        customize(client, bus, invocation)
    }))
    .await
}

#[cfg(feature = "defaults")]
async fn client() -> Result<Client, Error> {
    let config = aws_config::load_from_env().await;
    let bounded = aws_sdk_eventbridge::config::Builder::from(&config)
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .timeout_config(timeouts())
        .build();
    Ok(Client::from_conf(bounded))
}

/// The credentials that Lambda puts into the environment, without the SDK's search for others.
#[cfg(not(feature = "defaults"))]
async fn client() -> Result<Client, Error> {
    use aws_sdk_eventbridge::config::{Credentials, Region};
    use aws_smithy_http_client::{
        tls::{rustls_provider::CryptoMode, Provider},
        Builder,
    };
    let credentials = Credentials::new(
        env::var("AWS_ACCESS_KEY_ID")?,
        env::var("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let mut config = aws_sdk_eventbridge::Config::builder()
        .http_client(
            Builder::new()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .build_https(),
        )
        .region(Region::new(env::var("AWS_REGION")?))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .timeout_config(timeouts());
    if let Ok(endpoint) = env::var("AWS_ENDPOINT_URL_EVENTBRIDGE") {
        config = config.endpoint_url(endpoint);
    }
    Ok(Client::from_conf(config.build()))
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_timeout(PUBLISH_TIMEOUT)
        .build()
}

async fn customize(
    client: &Client,
    bus: &str,
    invocation: LambdaEvent<Event>,
) -> Result<Event, Error> {
    let started = Instant::now();
    let (mut event, context) = invocation.into_parts();
    let mut id = CognitoIdTokenGenerationV2::default();
    for (claim, attribute) in CLAIMS {
        if let Some(value) = event.request.user_attributes.get(attribute) {
            id.claims_to_add_or_override
                .insert(claim.into(), Value::String(value.clone()));
        }
    }
    let groups = &event.request.group_configuration;
    if !groups.groups_to_override.is_empty() {
        id.claims_to_add_or_override
            .insert("roles".into(), json!(groups.groups_to_override));
    }
    let mut access = CognitoAccessTokenGenerationV2::default();
    access.claims_to_add_or_override = id.claims_to_add_or_override.clone();

    let mut names: Vec<&String> = id.claims_to_add_or_override.keys().collect();
    names.sort();
    let header = &event.cognito_event_user_pools_header;
    let detail = json!({
        "triggerSource": header.trigger_source,
        "userPoolId": header.user_pool_id,
        "clientId": header.caller_context.client_id,
        "claims": names,
    });
    let published = publish(client, bus, detail).await;
    println!(
        "{}",
        json!({
            "level": if published.is_ok() { "INFO" } else { "WARN" },
            "message": "tokens customized",
            "triggerSource": header.trigger_source,
            "clientId": header.caller_context.client_id,
            "idToken": {"claims": names},
            "accessToken": {"claims": names},
            "published": published.is_ok(),
            "durationMs": started.elapsed().as_secs_f64() * 1000.0,
            "requestId": context.request_id,
        })
    );

    // This type always has groupOverrideDetails. Sent empty, they would take the user's groups away.
    let mut details = ClaimsAndScopeOverrideDetailsV2::default();
    details.group_override_details = groups.clone();
    details.id_token_generation = Some(id);
    details.access_token_generation = Some(access);
    event.response.claims_and_scope_override_details = Some(details);
    Ok(event)
}

async fn publish(client: &Client, bus: &str, detail: Value) -> Result<(), Error> {
    let entry = PutEventsRequestEntry::builder()
        .event_bus_name(bus)
        .source("token-customizer")
        .detail_type("Tokens Customized")
        .detail(detail.to_string())
        .build();
    let output = client.put_events().entries(entry).send().await?;
    match output.failed_entry_count() {
        0 => Ok(()),
        _ => Err("the bus refused the event".into()),
    }
}
