//! The token customizer of golden/sam, written the way a Rust project would: typed events of aws_lambda_events, the loop of lambda_runtime.
//! It copies the same attributes and the groups into both tokens, and logs one line of JSON with the same fields.

use std::time::Instant;

use aws_lambda_events::cognito::{
    ClaimsAndScopeOverrideDetailsV2, CognitoAccessTokenGenerationV2,
    CognitoEventUserPoolsPreTokenGenV2 as Event, CognitoIdTokenGenerationV2,
};
use lambda_runtime::{run, service_fn, Error, LambdaEvent};
use serde_json::{json, Value};

const CLAIMS: [(&str, &str); 2] = [("tenant_id", "custom:tenant_id"), ("plan", "custom:plan")];

#[cfg_attr(feature = "one-thread", tokio::main(flavor = "current_thread"))]
#[cfg_attr(not(feature = "one-thread"), tokio::main)]
async fn main() -> Result<(), Error> {
    run(service_fn(customize)).await
}

async fn customize(invocation: LambdaEvent<Event>) -> Result<Event, Error> {
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
    println!(
        "{}",
        json!({
            "level": "INFO",
            "message": "tokens customized",
            "triggerSource": header.trigger_source,
            "clientId": header.caller_context.client_id,
            "idToken": {"claims": names},
            "accessToken": {"claims": names},
            "problems": 0,
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
