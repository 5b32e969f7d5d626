package coordinator

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"cau/engine"
)

// signInPatience bounds a change of the sign-in: it is proven on one node, and the first ones may not answer.
const signInPatience = 2 * time.Minute

// takeSignIn reads the secret that follows the request and has it proven and taken up (R05). Only then the request goes to
// the engine, which journals who asked and nothing of the secret (R04).
func takeSignIn(ctx context.Context, in *bufio.Reader, d *desk) error {
	secret, err := readSecrets(in)
	if err != nil {
		return err
	}
	defer clear(secret)
	if d.signIn == nil {
		return errors.New("this run cannot change how it signs in")
	}
	ctx, cancel := context.WithTimeout(ctx, signInPatience)
	defer cancel()
	return d.signIn(ctx, secret)
}

// SignInAs gives a live run another sign-in, as its starter would have: what ServeInput.SignIn takes. It returns once that is
// proven, taken up and in the journal, or why not; then the run keeps what it has. Errors are those of Control.
func (h *Home) SignInAs(ctx context.Context, run string, secret []byte) error {
	ctx, cancel := context.WithTimeout(ctx, signInPatience)
	defer cancel()
	return h.control(ctx, run, engine.Control{Verb: engine.VerbCredential}, func(w io.Writer) error {
		if err := writeSecrets(w, secret); err != nil {
			return fmt.Errorf("hand over the sign-in: %w", err)
		}
		return nil
	})
}
