//go:build unix

package inspection

import (
	"os/exec"
	"syscall"
)

// groupProcesses puts the command and all that it starts into one process group,
// and has the end of the time end all of them.
func groupProcesses(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
}

// endGroup ends what a command left running.
func endGroup(command *exec.Cmd) {
	if command.Process != nil {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // there may be none
	}
}
