//go:build !unix

package inspection

import "os/exec"

// groupProcesses does nothing where there are no process groups: the end of the
// time ends the command alone.
func groupProcesses(*exec.Cmd) {}

func endGroup(*exec.Cmd) {}
