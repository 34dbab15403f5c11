// Package conformance holds the local Lambda to what runtimes expect of AWS Lambda: functions on released versions of aws-lambda-go and
// of Rust's lambda_runtime, neither of them modified, and on the runtime of slim projects, go through the same named cases.
//
// What belongs here: the cases, the functions in testdata/functions, and the table of them in docs/conformance.md, which
// "go test ./internal/local/conformance -run Reference -update" writes. What a misbehaving runtime does is tested in package local.
package conformance
