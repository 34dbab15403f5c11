// Package generator is golam's core: answers become a validated [Spec], a Spec is rendered to a [Tree], and a Tree is written to a
// folder as a whole or not at all.
//
// It is pure but for Write: it never prints, prompts, reads the clock, the environment or the network, and rendering gives the same
// bytes on every platform. What it may import is the templates and libraries, nothing of golam's commands.
package generator
