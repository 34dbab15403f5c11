// Package watch is what `golam watch` does: it keeps the functions of a project built and served while the project changes.
//
// What belongs here: noticing changes, deciding when to build, putting a new build in the place of the one before, the one address that
// everything is served at, and the adapters of local services; services.go says how to add one. What does not: building ([build]), running
// ([local]), how another golam finds this one ([running]), what the services do (eventbus, traces, httpevent), and drawing or printing.
// Callers get [Event] values, one at a time.
//
// One goroutine looks at the project, builds and swaps. A change only wakes it, and it then compares contents, so a change that is
// noticed twice, late, or for nothing does no harm.
package watch
