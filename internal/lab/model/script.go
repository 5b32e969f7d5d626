package model

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cau/internal/winnode/agent"
)

// The lines that a simulated script may consist of. No PowerShell runs here.
var (
	outputLine = regexp.MustCompile(`^(?i:Write-Output)\s+(?:'((?:[^']|'')*)'|"([^"` + "`" + `]*)")$`)
	exitLine   = regexp.MustCompile(`^(?i:exit)\s+(-?[0-9]{1,10})$`)
	sleepLine  = regexp.MustCompile(`^(?i:Start-Sleep)\s+(?i:-Seconds)\s+([0-9]{1,6})$`)
	throwLine  = regexp.MustCompile(`^(?i:throw)\s+'((?:[^']|'')*)'$`)
	tokenShape = regexp.MustCompile(`(?i)\$env:(CAU_[A-Z]+)`)
)

// maxOutput is how much of a script's output becomes events.
const maxOutput = 1 << 20

// step is one line of a script.
type step struct {
	output string
	prints bool
	sleep  time.Duration
	ends   bool
	code   int64
}

// readScript reads a script as far as the lab understands it.
func readScript(text string, variables map[string]string) ([]step, error) {
	var steps []step
	for i, line := range strings.Split(strings.TrimPrefix(text, "\uFEFF"), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s, ok := readLine(line, variables)
		if !ok {
			return nil, &refusal{"refused", fmt.Sprintf("line %d: the simulated cluster runs no PowerShell; it understands only Write-Output 'text', "+
				"exit N, Start-Sleep -Seconds N and throw 'text'", i+1)}
		}
		steps = append(steps, s)
	}
	return steps, nil
}

func readLine(line string, variables map[string]string) (step, bool) {
	if m := outputLine.FindStringSubmatch(line); m != nil {
		text := strings.ReplaceAll(m[1], "''", "'") + m[2]
		return step{prints: true, output: tokenShape.ReplaceAllStringFunc(text, func(token string) string {
			return variables[strings.ToUpper(token[len("$env:"):])]
		})}, true
	}
	if m := exitLine.FindStringSubmatch(line); m != nil {
		code, err := strconv.ParseInt(m[1], 10, 64)
		return step{ends: true, code: code}, err == nil && code == int64(int32(code))
	}
	if m := sleepLine.FindStringSubmatch(line); m != nil {
		n, err := strconv.Atoi(m[1])
		return step{sleep: time.Duration(n) * time.Second}, err == nil
	}
	if m := throwLine.FindStringSubmatch(line); m != nil {
		return step{prints: true, output: strings.ReplaceAll(m[1], "''", "'"), ends: true, code: 1}, true
	}
	return step{}, false
}

// script runs a script, pinned by its hash. In one that runs as SYSTEM the account is SYSTEM, else the caller's.
func (n *Node) script(j *job, in agent.ScriptInput) error {
	raw, err := base64.StdEncoding.DecodeString(in.Text)
	if err != nil || len(raw) > agent.MaxScript {
		return &refusal{"refused", "the script is not base64 or too large"}
	}
	if sum := sha256.Sum256(raw); !strings.EqualFold(hex.EncodeToString(sum[:]), in.SHA256) {
		return &refusal{"refused", in.Name + " is not the script of the plan: its SHA-256 differs"}
	}
	if !slices.Contains([]string{agent.PhasePre, agent.PhasePost, agent.PhaseScan, agent.PhaseStage, agent.PhaseInstall}, in.Phase) {
		return &refusal{"refused", "the phase, the size or the cluster of the script is out of bounds"}
	}
	steps, err := readScript(string(raw), map[string]string{
		"CAU_RUN": j.run, "CAU_NODE": n.name, "CAU_CLUSTER": in.Cluster, "CAU_PHASE": in.Phase,
	})
	if err != nil {
		return err
	}
	if j.cancelled {
		return errCancelled()
	}
	out := &agent.ScriptOutput{Account: `NT AUTHORITY\SYSTEM`, Log: j.file("output.txt")}
	if j.here {
		out.Account = n.world.admin()
	}
	j.child = &child{pid: n.pid()}
	j.event("running", fmt.Sprintf("process %d", j.child.pid), 0, 0)
	n.runSteps(j, steps, 0, out)
	return nil
}

// runSteps goes on with a script until it sleeps or ends.
func (n *Node) runSteps(j *job, steps []step, printed int, out *agent.ScriptOutput) {
	for i, s := range steps {
		if s.prints {
			if printed += len(s.output) + 2; printed > maxOutput {
				out.Truncated = true
			} else {
				j.event("output", s.output, 0, 0)
			}
		}
		if s.sleep > 0 {
			n.during(s.sleep, func() {
				if j.process {
					n.runSteps(j, steps[i+1:], printed, out)
				}
			})
			return
		}
		if s.ends {
			out.ExitCode = s.code
			break
		}
	}
	j.child = nil
	j.event("exited", fmt.Sprintf("exit code %d", out.ExitCode), 0, 0)
	j.finish(*out, nil)
}

// file is a file in the job's own folder.
func (j *job) file(name string) string { return jobsFolder + j.run + `\` + j.id + `\` + name }

// pid is a process id that the node has not given before.
func (n *Node) pid() int {
	n.lastPID += 4
	return n.lastPID
}

// admin is as whom the caller is signed in.
func (*World) admin() string { return Domain + `\admin` }
