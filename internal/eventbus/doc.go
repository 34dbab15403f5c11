// Package eventbus is a local stand-in for Amazon EventBridge: it takes PutEvents, checks the entries as EventBridge would, matches events
// with rule patterns, and hands them to whoever delivers them.
//
// What belongs here: the wire form of PutEvents, the limits of entries, the language of patterns, and reading rules. What does not: running
// the functions that rules name. Where AWS documents a behavior it is followed ("Amazon EventBridge API Reference", PutEvents; "Amazon
// EventBridge User Guide", event patterns).
package eventbus
