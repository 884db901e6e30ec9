package upgrade_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/opencopilot/handoff-operator/internal/upgrade"
)

func name(s string) types.NamespacedName { return types.NamespacedName{Namespace: "ns", Name: s} }

// woken are slots that note who was woken.
func woken(limit int) (*upgrade.Slots, func() string) {
	var who []string
	slots := upgrade.NewSlots(limit, func(k types.NamespacedName) { who = append(who, k.Name) })
	return slots, func() string { defer func() { who = nil }(); return strings.Join(who, " ") }
}

// take asks for a slot beside those under way.
func take(slots *upgrade.Slots, key types.NamespacedName, underWay []upgrade.Running) bool {
	got, err := slots.Take(key, func() ([]upgrade.Running, error) { return underWay, nil })
	return got && err == nil
}

func underway(keys []types.NamespacedName) []upgrade.Running {
	var out []upgrade.Running
	for _, k := range keys {
		out = append(out, upgrade.Running{Copilot: k})
	}
	return out
}

func TestSlotPassesToTheNext(t *testing.T) {
	t.Parallel()
	slots, who := woken(2)
	if !take(slots, name("a"), nil) || !take(slots, name("b"), nil) || take(slots, name("c"), nil) || take(slots, name("d"), nil) || take(slots, name("c"), nil) {
		t.Fatal("want two of four to have a slot")
	}
	if !take(slots, name("a"), nil) {
		t.Error("who has a slot lost it by asking again")
	}
	slots.Leave(name("x"))
	if w := who(); w != "" {
		t.Errorf("who never had a slot woke %s", w)
	}
	slots.Leave(name("a"))
	slots.Leave(name("b"))
	if w := who(); w != "c c" {
		t.Errorf("want c woken, have %s", w)
	}
	if !take(slots, name("c"), nil) {
		t.Error("c was woken and got nothing")
	}
	if w := who(); w != "d" {
		t.Errorf("two slots came free, and after c took one %q was woken", w)
	}
}

func TestWhoWasWokenAndNeedsNoSlotPassesItOn(t *testing.T) {
	t.Parallel()
	slots, who := woken(1)
	take(slots, name("a"), nil)
	take(slots, name("b"), nil)
	take(slots, name("c"), nil)
	slots.Leave(name("a"))
	who()
	slots.Leave(name("b"))
	if w := who(); w != "c" {
		t.Errorf("b was deleted before its turn, and %q was woken", w)
	}
}

// Another process began them.
func TestWhatIsUnderWayCounts(t *testing.T) {
	t.Parallel()
	slots, who := woken(2)
	before := []upgrade.Running{{Copilot: name("a")}, {Copilot: name("b")}}
	if take(slots, name("c"), before) {
		t.Fatal("a third upgrade began")
	}
	slots.Hold(name("a"), false)
	if take(slots, name("c"), before) {
		t.Fatal("what is under way and known here was counted once too little")
	}
	slots.Leave(name("a"))
	if w := who(); w != "c" {
		t.Fatalf("woken: %q", w)
	}
	if !take(slots, name("c"), before[1:]) {
		t.Error("a is done and c got nothing")
	}
}

func TestThoseWhoWaitAreToldWhatIsStuck(t *testing.T) {
	t.Parallel()
	slots, who := woken(1)
	take(slots, name("a"), nil)
	take(slots, name("b"), nil)
	take(slots, name("c"), nil)
	slots.Hold(name("a"), true)
	if w := who(); w != "b c" {
		t.Errorf("a is stuck, woken: %q", w)
	}
	slots.Hold(name("a"), true)
	if w := who(); w != "" {
		t.Errorf("nothing changed, woken: %q", w)
	}
	slots.Hold(name("a"), false)
	if w := who(); w != "b c" {
		t.Errorf("a is stuck no more, woken: %q", w)
	}
}

// After a restart each of them reads off the cluster what is stuck; nobody has to be woken for it.
func TestWhoSawWhatIsStuckIsNotToldAgain(t *testing.T) {
	t.Parallel()
	slots, who := woken(1)
	underWay := []upgrade.Running{{Copilot: name("a"), Stuck: true}}
	take(slots, name("b"), underWay)
	take(slots, name("c"), underWay)
	slots.Hold(name("a"), true)
	if w := who(); w != "" {
		t.Errorf("woken: %q", w)
	}
}

func TestNoSlotsHoldEverythingBack(t *testing.T) {
	t.Parallel()
	slots, _ := woken(0)
	if take(slots, name("a"), nil) {
		t.Error("want nobody to upgrade")
	}
}

// Its Copilot became wrong, or another process began it: what holds a slot in the cluster need not hold one here.
func TestWhoBlocksAndHoldsNothingHerePassesTheSlotOn(t *testing.T) {
	t.Parallel()
	slots, who := woken(1)
	take(slots, name("a"), nil)
	slots.Leave(name("a"))
	if take(slots, name("b"), underway([]types.NamespacedName{name("a")})) {
		t.Fatal("a second upgrade began")
	}
	slots.Leave(name("x"))
	if w := who(); w != "" {
		t.Errorf("who was in nobody's way woke %s", w)
	}
	slots.Leave(name("a"))
	if w := who(); w != "b" {
		t.Fatalf("a is done, woken: %q", w)
	}
	slots.Leave(name("a"))
	if w := who(); w != "" {
		t.Errorf("a was in nobody's way any more and woke %s", w)
	}
}

func TestWhatIsUnderWayCannotBeRead(t *testing.T) {
	t.Parallel()
	slots, _ := woken(1)
	broken := errors.New("broken")
	if got, err := slots.Take(name("a"), func() ([]upgrade.Running, error) { return nil, broken }); got || !errors.Is(err, broken) {
		t.Errorf("have %v, %v", got, err)
	}
	if !take(slots, name("b"), nil) {
		t.Error("who got nothing holds a slot")
	}
}

// Whatever happens to those who upgrade and wait, never more than the limit upgrade, and all get their turn.
func TestEveryoneGetsTheirTurn(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		newFleet(seed).run(t, seed)
	}
}

// fleet is a cluster of 30, and a process that upgrades them.
type fleet struct {
	random           *rand.Rand
	limit            int
	slots            *upgrade.Slots
	queue, upgrading []types.NamespacedName
	done             map[types.NamespacedName]bool
}

func newFleet(seed uint64) *fleet {
	f := &fleet{random: rand.New(rand.NewPCG(seed, 1)), done: map[types.NamespacedName]bool{}}
	f.limit = 1 + f.random.IntN(4)
	f.start()
	return f
}

// start is another process: it knows nothing, and looks at each of them in any order.
func (f *fleet) start() {
	f.queue = nil
	f.slots = upgrade.NewSlots(f.limit, func(k types.NamespacedName) { f.queue = append(f.queue, k) })
	for _, i := range f.random.Perm(30) {
		f.queue = append(f.queue, name(string(rune('A'+i))))
	}
}

func (f *fleet) run(t *testing.T, seed uint64) {
	t.Helper()
	for len(f.queue)+len(f.upgrading) > 0 {
		switch n := len(f.upgrading); {
		case f.random.IntN(100) == 0:
			f.start()
		case n > 0 && f.random.IntN(8) == 0: // its Copilot is wrong, and its pod comes up all the same
			f.slots.Leave(f.upgrading[f.random.IntN(n)])
		case n > 0 && (len(f.queue) == 0 || f.random.IntN(3) == 0):
			f.end(f.random.IntN(n))
		case len(f.queue) > 0:
			f.look(f.random.IntN(len(f.queue)))
		}
		if len(f.upgrading) > f.limit {
			t.Fatalf("seed %d: %d upgrade at once, %d may", seed, len(f.upgrading), f.limit)
		}
	}
	if len(f.done) != 30 {
		t.Fatalf("seed %d: %d of 30 came to an end; the rest waits for ever", seed, len(f.done))
	}
}

func (f *fleet) end(i int) {
	key := f.upgrading[i]
	f.upgrading = slices.Delete(f.upgrading, i, i+1)
	f.done[key] = true
	f.slots.Leave(key)
}

func (f *fleet) look(i int) {
	key := f.queue[i]
	f.queue = slices.Delete(f.queue, i, i+1)
	switch {
	case f.done[key]:
		f.slots.Leave(key)
	case slices.Contains(f.upgrading, key):
		f.slots.Hold(key, false)
	case f.random.IntN(10) == 0: // deleted
		f.done[key] = true
		f.slots.Leave(key)
	case take(f.slots, key, underway(f.upgrading)):
		f.upgrading = append(f.upgrading, key)
	}
}
