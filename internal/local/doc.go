// Package local is golam's local Lambda: it runs bootstraps as AWS Lambda does, on this machine, with no container engine.
//
// What belongs here: the Runtime API and the Extensions API that a bootstrap speaks, the execution environments (processes, their
// environment variables, output, memory, processor time, freezing and end), the init, invoke and shutdown phases, and the Invoke API in front of them.
// What does not: building functions, watching files, events of a trigger, printing. Callers get log lines through a callback.
//
// How it fits together: a [Lambda] has functions; a function has a pool of execution environments; an environment has a process, an
// address where the process finds its Runtime API, and the state of that API. One goroutine at a time drives an environment: it waits
// for the state to change, for the process to exit, or for a deadline. HTTP handlers only change the state.
//
// Where AWS documents a behavior, it is followed ("Lambda Developer Guide": custom runtimes, Extensions API, execution environment
// lifecycle); where it does not, AWS's open runtime interface emulator is. What is different is said where it is.
package local
