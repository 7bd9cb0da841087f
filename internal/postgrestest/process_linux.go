package postgrestest

import "syscall"

// attributes makes a program run as another user, if there is one.
func attributes(as *identity) *syscall.SysProcAttr {
	if as == nil {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(as.uid), Gid: uint32(as.gid)}}
}

// tied makes the program stop when the thread that starts it ends.
func tied(attr *syscall.SysProcAttr) *syscall.SysProcAttr {
	attr.Pdeathsig = syscall.SIGQUIT
	return attr
}
