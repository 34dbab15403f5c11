// Package architecture holds the tests that keep the rules of docs/architecture.md, and nothing else.
package architecture
