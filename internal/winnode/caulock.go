package winnode

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

var guidShape = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// TakeCauLock makes a lock object of Microsoft's CAU (MSFT_CAURun) with our id, so that it refuses to run at the same
// time. id is a GUID in lower case without braces. The provider deletes it after an hour without renewal. That an
// instance can be made this way is unproven, so failing here is no reason to stop a run.
func (f *Fleet) TakeCauLock(ctx context.Context, id string) error {
	return f.cauLock(ctx, agent.OpCauLockTake, id, true)
}

// RenewCauLock renews the lock; after a restart of this program it also makes ForeignRuns know it as ours.
func (f *Fleet) RenewCauLock(ctx context.Context, id string) error {
	return f.cauLock(ctx, agent.OpCauLockRenew, id, true)
}

// DropCauLock removes the lock.
func (f *Fleet) DropCauLock(ctx context.Context, id string) error {
	return f.cauLock(ctx, agent.OpCauLockDrop, id, false)
}

func (f *Fleet) cauLock(ctx context.Context, op, id string, ours bool) error {
	if !guidShape.MatchString(id) {
		return &fault.Error{Op: what(op), Err: errors.New("the lock's id is no GUID in lower case without braces")}
	}
	_, err := f.ask(ctx, "", op, agent.CauLockArgs{ID: id}, nil)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case ours && (err == nil || isTransport(err)): // it may have been made, and then it is ours
		f.cauID = id
	case !ours && err == nil:
		f.cauID = ""
	}
	return err
}

// ownLock tells whether a lock object's id is our own, however the node writes GUIDs.
func (f *Fleet) ownLock(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cauID != "" && strings.EqualFold(strings.Trim(id, "{}"), f.cauID)
}
