// Package actiontest runs the Action in its image, as a step of workflows, on a
// runner and a Sigstore of this machine: `make action-test`. It holds tests alone.
package actiontest
