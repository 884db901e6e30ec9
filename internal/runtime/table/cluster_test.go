package table_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
)

func TestInputsAndTheirChangesArriveAndAreAcknowledged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	faq, key := w.createFAQ("old"), w.createKey("secret-1")
	w.write(spec(t, full("one")))
	opts := w.options(w.config)
	s := w.start(opts)

	in := s.next()
	if in.Table.Copilot.DisplayName != "one" || in.ConfigMaps[faqName]["faq.md"] != "old" || string(in.Secrets[keyName]["key"]) != "secret-1" {
		t.Fatalf("first inputs: %+v", in)
	}
	acknowledged := w.acknowledged(routing.Revision(full("one")))

	faq.Data["faq.md"] = "new"
	w.update(faq)
	if in = s.next(); in.ConfigMaps[faqName]["faq.md"] != "new" || in.Revision != routing.Revision(full("one")) {
		t.Fatalf("after the FAQ was edited: %+v", in)
	}
	key.Data["key"] = []byte("secret-2")
	w.update(key)
	if in = s.next(); string(in.Secrets[keyName]["key"]) != "secret-2" {
		t.Fatalf("after the key was rotated: %+v", in)
	}
	now := &v1alpha1.RoutingTable{}
	must(t, w.admin.Get(w.ctx, client.ObjectKeyFromObject(acknowledged), now))
	if now.ResourceVersion != acknowledged.ResourceVersion {
		t.Errorf("contents changed, the revision did not, and yet the status was written: %+v", now.Status)
	}

	w.write(spec(t, full("two")))
	if in = s.next(); in.Table.Copilot.DisplayName != "two" || string(in.Secrets[keyName]["key"]) != "secret-2" {
		t.Fatalf("after the table changed: %+v", in)
	}
	w.acknowledged(routing.Revision(full("two")))
	info, err := os.Stat(filepath.Join(opts.RunDir, "inputs.json"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the saved inputs hold Secrets and have mode %v, want 0600", info.Mode().Perm())
	}
}

func TestTheRoleSufficesAndAllOfItIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	w.createFAQ("text")
	w.createKey("secret")
	w.write(spec(t, full("one")))
	wire, config := record(w.config)
	s := w.start(w.options(config))
	s.next()
	w.acknowledged(routing.Revision(full("one")))

	permitted := []string{}
	for _, rule := range rules() {
		for _, verb := range rule.Verbs {
			permitted = append(permitted, verb+" "+rule.Resources[0])
		}
	}
	used := wire.kinds()
	slices.Sort(permitted)
	if !slices.Equal(permitted, used) {
		t.Errorf("the Role permits %v, the runtime asks for %v", permitted, used)
	}
}

func TestTheRoleKeepsTheRuntimeFromEverythingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	w.write(spec(t, plain("one")))
	w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "other"}})
	runtime, err := client.New(w.config, client.Options{Scheme: w.admin.Scheme()})
	must(t, err)
	rt := &v1alpha1.RoutingTable{ObjectMeta: metav1.ObjectMeta{Name: tableName, Namespace: w.ns}}
	for what, err := range map[string]error{
		"read another Secret": runtime.Get(w.ctx, client.ObjectKey{Namespace: w.ns, Name: "other"}, &corev1.Secret{}),
		"list all Secrets":    runtime.List(w.ctx, &corev1.SecretList{}, client.InNamespace(w.ns)),
		"list all ConfigMaps": runtime.List(w.ctx, &corev1.ConfigMapList{}, client.InNamespace(w.ns)),
		"change its table":    runtime.Patch(w.ctx, rt, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"revision":"x"}}`))),
	} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s: %v, want forbidden", what, err)
		}
	}
}

func TestARefusedTableIsReportedAndTheLastGoodStays(t *testing.T) {
	t.Parallel()
	good := routing.Revision(plain("good"))
	edited := spec(t, plain("edited"))
	edited.Revision = "0123456789abcdef0123456789abcdef"
	later := spec(t, plain("later"))
	later.FormatVersion = routing.FormatVersion + 1
	invalid := plain("invalid")
	invalid.Policy = &routing.Policy{Name: "p", Routes: []routing.Route{{Name: "r", Targets: []routing.Target{{Pool: "absent"}}}}}
	for name, c := range map[string]struct {
		spec    v1alpha1.RoutingTableSpec
		message string
	}{
		"edited by hand":       {edited, "does not belong to this table"},
		"a later format":       {later, "upgrade the runtime"},
		"not valid":            {spec(t, invalid), `pool "absent"`},
		"refused by its user":  {spec(t, plain("unusable")), "no room for this table"},
		"not even of its form": {v1alpha1.RoutingTableSpec{FormatVersion: 1, Revision: "r", Table: raw(`{"copilot":[]}`)}, "copilot"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, env.Config)
			w.write(spec(t, plain("good")))
			s := w.start(w.options(w.config), func(s *source) {
				s.refuse = func(in table.Inputs) error {
					if in.Table.Copilot.DisplayName == "unusable" {
						return errors.New("no room for this table")
					}
					return nil
				}
			})
			s.next()
			w.acknowledged(good)
			w.write(c.spec)
			w.replicas("report the refusal", func(r []v1alpha1.ReplicaStatus) bool {
				return len(r) == 1 && r[0].Revision == good && r[0].Refused == c.spec.Revision && strings.Contains(r[0].Message, c.message)
			})
			if s.metric("handoff_table_refused_total") == 0 {
				t.Error("handoff_table_refused_total is 0")
			}
			w.write(spec(t, plain("fixed")))
			if in := s.next(); in.Table.Copilot.DisplayName != "fixed" {
				t.Fatalf("the refused table was used: %+v", in)
			}
			w.acknowledged(routing.Revision(plain("fixed")))
		})
	}
}

// Others may work by the table between, which this one refused.
func TestATableThatCameBackIsHandedOnAsTheNewerOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	w.write(spec(t, plain("one")))
	s := w.start(w.options(w.config), func(s *source) {
		s.refuse = func(in table.Inputs) error {
			if in.Table.Copilot.DisplayName == "unusable" {
				return errors.New("no room for this table")
			}
			return nil
		}
	})
	first := s.next()
	w.write(spec(t, plain("unusable")))
	w.replicas("report the refusal", func(r []v1alpha1.ReplicaStatus) bool { return len(r) == 1 && r[0].Refused != "" })
	w.write(spec(t, plain("one")))
	in := s.next()
	if in.Revision != first.Revision || !in.Version.Created.Equal(first.Version.Created) ||
		first.Version.Generation == 0 || in.Version.Generation != first.Version.Generation+2 {
		t.Errorf("%s %+v came back as %s %+v", first.Revision, first.Version, in.Revision, in.Version)
	}
	w.acknowledged(first.Revision)
}

func TestATableOfANewerOperatorWithUnknownFieldsIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	newer := spec(t, plain("newer"))
	newer.Table = raw(strings.Replace(string(newer.Table.Raw), `{"formatVersion"`, `{"added":true,"formatVersion"`, 1))
	newer.Revision = "ffffffffffffffffffffffffffffffff"
	w.write(newer)
	s := w.start(w.options(w.config))
	if in := s.next(); in.Revision != newer.Revision {
		t.Fatalf("inputs: %+v", in)
	}
	w.acknowledged(newer.Revision)
}

func TestAMissingSecretIsPassedAsAbsentAndAddedWhenItComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	w.createFAQ("text")
	w.write(spec(t, full("one")))
	s := w.start(w.options(w.config))
	in := s.next()
	if _, there := in.Secrets[keyName]; there || in.ConfigMaps[faqName]["faq.md"] != "text" {
		t.Fatalf("without the Secret: %+v", in)
	}
	key := w.createKey("late")
	if in = s.next(); string(in.Secrets[keyName]["key"]) != "late" {
		t.Fatalf("after the Secret came: %+v", in)
	}
	must(t, w.admin.Delete(w.ctx, key))
	if in = s.next(); len(in.Secrets) != 0 {
		t.Fatalf("after the Secret went: %+v", in)
	}
}

func TestAnInputThatMayNotBeReadBlocksNothingForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	forbidden := plain("one")
	forbidden.Copilot.Knowledge = []routing.KnowledgeSource{{Name: "x", ConfigMap: "not-in-the-role"}}
	w.write(spec(t, forbidden))
	opts := w.options(w.config)
	opts.ReadGrace = time.Millisecond
	s := w.start(opts)
	if in := s.next(); len(in.ConfigMaps) != 0 {
		t.Fatalf("inputs: %+v", in)
	}
	w.acknowledged(routing.Revision(forbidden))
}

func TestWhatTheTableNoLongerNamesIsNoLongerWatched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	w.createFAQ("text")
	w.createKey("secret")
	w.write(spec(t, full("one")))
	wire, config := record(w.config)
	s := w.start(w.options(config))
	s.next()
	w.write(spec(t, plain("two")))
	if in := s.next(); len(in.Secrets)+len(in.ConfigMaps) != 0 {
		t.Fatalf("contents that the table does not name: %+v", in)
	}
	closed := []string{wire.nextClosed(t), wire.nextClosed(t)}
	slices.Sort(closed)
	if want := []string{"configmaps/" + faqName, "secrets/" + keyName}; !slices.Equal(closed, want) {
		t.Errorf("closed watches of %v, want %v", closed, want)
	}
}

func TestStorageThatIsAwayIsReportedBesideTheRevision(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	w.write(spec(t, plain("good")))
	s := w.start(w.options(w.config))
	s.next()
	good := routing.Revision(plain("good"))
	w.acknowledged(good)
	s.cluster.StorageChanged(errors.New("the database is away" + strings.Repeat("é", 1024)))
	w.replicas("report the storage", func(r []v1alpha1.ReplicaStatus) bool {
		return len(r) == 1 && r[0].Revision == good && strings.HasPrefix(r[0].StorageError, "the database is away")
	})
	s.cluster.StorageChanged(nil)
	w.replicas("take it back", func(r []v1alpha1.ReplicaStatus) bool {
		return len(r) == 1 && r[0].Revision == good && r[0].StorageError == ""
	})
}

func TestShutdownTakesAwayItsOwnEntryOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	w.write(spec(t, plain("one")))
	first := w.start(w.options(w.config))
	second := w.options(w.config)
	second.Pod = "hello-handoff-1"
	w.start(second)
	w.replicas("both acknowledge", func(r []v1alpha1.ReplicaStatus) bool {
		return len(r) == 2 && r[0].Revision != "" && r[1].Revision != ""
	})
	first.stop()
	w.replicas("one leaves", func(r []v1alpha1.ReplicaStatus) bool { return len(r) == 1 && r[0].Name == second.Pod })
}

func TestAnEntryThatSomebodyTookAwayIsReportedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	w.write(spec(t, plain("one")))
	w.start(w.options(w.config))
	rt := w.acknowledged(routing.Revision(plain("one")))
	must(t, w.admin.Status().Patch(w.ctx, rt, client.RawPatch("application/merge-patch+json", []byte(`{"status":{"replicas":[]}}`))))
	w.acknowledged(routing.Revision(plain("one")))
}
