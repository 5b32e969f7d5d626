package wsmanserver

import (
	"context"
	"strings"
	"time"
)

// shell belongs to a user, not to a connection (MS-WSMV 3.1.4.5).
type shell struct {
	id, user string
	at       *endpoint // where it was created
	idle     time.Duration
	used     time.Time
	ctx      context.Context //nolint:containedctx // the shell's lifetime, which spans many requests
	end      context.CancelFunc
	commands map[string]*command
	started  int // commands ever
}

// minIdle is the shortest idle time a client may ask for.
const minIdle = time.Minute

func (s *Server) createShell(at *endpoint, user, wanted string) (*shell, *fault) {
	idle := s.config.Quotas.ShellIdle
	if d, ok := duration(wanted); ok && d >= minIdle && d < idle {
		idle = d
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetIdle()
	mine := 0
	for _, other := range s.shells {
		if other.user == user {
			mine++
		}
	}
	if mine >= s.config.Quotas.MaxShellsPerUser {
		return nil, errShells()
	}
	if !s.listening {
		return nil, errNoShell("")
	}
	ctx, end := context.WithCancel(s.boot)
	sh := &shell{id: newID(), user: user, at: at, idle: idle, used: time.Now(), ctx: ctx, end: end, commands: map[string]*command{}}
	s.shells[sh.id] = sh
	at.countShell()
	return sh, nil
}

// forgetIdle ends shells that nobody used for their idle time. The caller holds the lock.
func (s *Server) forgetIdle() {
	for id, sh := range s.shells {
		if time.Since(sh.used) > sh.idle {
			sh.end()
			delete(s.shells, id)
		}
	}
}

// find gives a user's shell; another user's is as unknown as one that never was.
func (s *Server) find(id, user string) (*shell, *fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetIdle()
	sh, ok := s.shells[strings.ToUpper(id)]
	if !ok || sh.user != user {
		return nil, errNoShell(id)
	}
	sh.used = time.Now()
	return sh, nil
}

func (s *Server) findCommand(sh *shell, id string) (*command, *fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := sh.commands[strings.ToUpper(id)]
	if !ok {
		return nil, errNoCommand()
	}
	return c, nil
}

func (s *Server) deleteShell(sh *shell) {
	s.mu.Lock()
	delete(s.shells, sh.id)
	s.mu.Unlock()
	sh.end()
}

func (s *Server) startCommand(sh *shell, line string, console bool) (string, *fault) {
	// cmd.exe takes 8191 characters.
	if len(line) > 8191 {
		return "", &fault{CodeLineTooLong, "w:InternalError", true, "The filename or extension is too long."}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	processes := 0
	for _, c := range sh.commands {
		if c.runs() {
			processes++
		}
	}
	if processes >= s.config.Quotas.MaxProcessesPerShell {
		return "", errProcesses()
	}
	if !s.listening || sh.ctx.Err() != nil {
		return "", errNoShell(sh.id)
	}
	c := newCommand(sh.ctx, console)
	id := newID()
	sh.commands[id] = c
	sh.started++
	s.working.Go(func() {
		c.finish(s.config.Runner.Run(c.ctx, sh.user, line, c.stdin, writer{c, false}, writer{c, true}))
	})
	return id, nil
}

func (s *Server) forgetCommand(sh *shell, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(sh.commands, strings.ToUpper(id))
}
