package upgrade_test

import (
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
	if !slots.Take(name("a"), nil) || !slots.Take(name("b"), nil) || slots.Take(name("c"), nil) || slots.Take(name("d"), nil) || slots.Take(name("c"), nil) {
		t.Fatal("want two of four to have a slot")
	}
	if !slots.Take(name("a"), nil) {
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
	if !slots.Take(name("c"), nil) {
		t.Error("c was woken and got nothing")
	}
	if w := who(); w != "d" {
		t.Errorf("two slots came free, and after c took one %q was woken", w)
	}
}

func TestWhoWasWokenAndNeedsNoSlotPassesItOn(t *testing.T) {
	t.Parallel()
	slots, who := woken(1)
	slots.Take(name("a"), nil)
	slots.Take(name("b"), nil)
	slots.Take(name("c"), nil)
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
	if slots.Take(name("c"), before) {
		t.Fatal("a third upgrade began")
	}
	slots.Hold(name("a"), false)
	if slots.Take(name("c"), before) {
		t.Fatal("what is under way and known here was counted once too little")
	}
	slots.Leave(name("a"))
	if w := who(); w != "c" {
		t.Fatalf("woken: %q", w)
	}
	if !slots.Take(name("c"), before[1:]) {
		t.Error("a is done and c got nothing")
	}
}

func TestThoseWhoWaitAreToldWhatIsStuck(t *testing.T) {
	t.Parallel()
	slots, who := woken(1)
	slots.Take(name("a"), nil)
	slots.Take(name("b"), nil)
	slots.Take(name("c"), nil)
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
	slots.Take(name("b"), underWay)
	slots.Take(name("c"), underWay)
	slots.Hold(name("a"), true)
	if w := who(); w != "" {
		t.Errorf("woken: %q", w)
	}
}

func TestNoSlotsHoldEverythingBack(t *testing.T) {
	t.Parallel()
	slots, _ := woken(0)
	if slots.Take(name("a"), nil) {
		t.Error("want nobody to upgrade")
	}
}

// Whatever happens to those who upgrade and wait, never more than the limit upgrade, and all get their turn.
func TestEveryoneGetsTheirTurn(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		limit := 1 + random.IntN(4)
		var queue, upgrading []types.NamespacedName
		slots := upgrade.NewSlots(limit, func(k types.NamespacedName) { queue = append(queue, k) })
		for i := range 30 {
			queue = append(queue, name(string(rune('A'+i))))
		}
		done := map[types.NamespacedName]bool{}
		for len(queue)+len(upgrading) > 0 {
			if n := len(upgrading); n > 0 && (len(queue) == 0 || random.IntN(3) == 0) {
				i := random.IntN(n)
				key := upgrading[i]
				upgrading = slices.Delete(upgrading, i, i+1)
				done[key] = true
				slots.Leave(key)
				continue
			}
			i := random.IntN(len(queue))
			key := queue[i]
			queue = slices.Delete(queue, i, i+1)
			switch {
			case done[key] || slices.Contains(upgrading, key):
			case random.IntN(10) == 0: // deleted
				done[key] = true
				slots.Leave(key)
			case slots.Take(key, underway(upgrading)):
				upgrading = append(upgrading, key)
			}
			if len(upgrading) > limit {
				t.Fatalf("seed %d: %d upgrade at once, %d may", seed, len(upgrading), limit)
			}
		}
		if len(done) != 30 {
			t.Fatalf("seed %d: %d of 30 came to an end; the rest waits for ever", seed, len(done))
		}
	}
}
