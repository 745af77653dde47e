package lifetime

import (
	"os/exec"
	"syscall"
)

// EndWithParent has the kernel kill the command when its parent dies, so that a test that is killed leaves nothing behind.
func EndWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
