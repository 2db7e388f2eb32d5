// Package endtoend runs the real signatus against the sandbox, as a job of a
// workflow and as people at a desk: it signs, verifies, and meets every fault that
// a service, a token, a disk or a repository can have. It has tests only.
//
// Every output of every run is searched for tokens.
package endtoend
