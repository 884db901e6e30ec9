package controltest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fsnotify/fsnotify"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"
)

// auditedGroup are the users whose requests are in the audit log.
const auditedGroup = "audited"

const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {level: Metadata, userGroups: [` + auditedGroup + `]}
  - {level: None}
`

// audit has the API server write a log of the requests of audited users.
func audit(env *envtest.Environment) (remove func() error, err error) {
	dir, err := os.MkdirTemp("", "audit-")
	if err != nil {
		return func() error { return nil }, err
	}
	policy := filepath.Join(dir, "policy.yaml")
	cluster.audit = filepath.Join(dir, "audit.log")
	env.ControlPlane.GetAPIServer().Configure().Set("audit-policy-file", policy).Set("audit-log-path", cluster.audit)
	return func() error { return os.RemoveAll(dir) }, os.WriteFile(policy, []byte(auditPolicy), 0o600)
}

// Audited is a user with the operator's rights, those of a leader in the World's namespace among them, whose requests
// the API server logs.
type Audited struct {
	world *World
	// Name of the user.
	Name string
	// Config is how the user reaches the API server; Kubeconfig the same as a file's content.
	Config     *rest.Config
	Kubeconfig []byte
	marks      int
}

// Audited adds such a user.
func (w *World) Audited() *Audited {
	w.Helper()
	a := &Audited{world: w, Name: "operator-of-" + w.Namespace}
	user, err := cluster.env.AddUser(envtest.User{Name: a.Name, Groups: []string{auditedGroup}}, cluster.admin)
	w.must(err, "add "+a.Name)
	a.Config = user.Config()
	a.Kubeconfig, err = user.KubeConfig()
	w.must(err, "kubeconfig of "+a.Name)

	subjects := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: a.Name}}
	role, err := operatorRole()
	w.must(err, "operator's role")
	all := &rbacv1.ClusterRoleBinding{RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name}, Subjects: subjects}
	all.Name = a.Name
	w.must(w.Client.Create(w.Context(), all), "bind "+role.Name)

	raw, err := os.ReadFile(Root("config/rbac/leader_election_role.yaml"))
	w.must(err, "leader's role")
	leader := &rbacv1.Role{}
	w.must(yaml.Unmarshal(raw, leader), "leader's role")
	leader.Namespace = w.Namespace
	w.must(w.Client.Create(w.Context(), leader), "make the leader's role")
	own := &rbacv1.RoleBinding{RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: leader.Name}, Subjects: subjects}
	own.Name, own.Namespace = leader.Name, w.Namespace
	w.must(w.Client.Create(w.Context(), own), "bind "+leader.Name)
	return a
}

// Count is how often each thing was asked for, by verb and resource: "patch copilots/status".
type Count map[string]int

// Writes are those of the requests that change something, save for Leases and Events.
func (c Count) Writes() Count {
	out := maps.Clone(c)
	maps.DeleteFunc(out, func(what string, _ int) bool {
		verb, resource, _ := strings.Cut(what, " ")
		return slices.Contains([]string{"get", "list", "watch"}, verb) || resource == "leases" || resource == "events"
	})
	return out
}

// String is a table, most first.
func (c Count) String() string {
	rows := slices.SortedFunc(maps.Keys(c), func(a, b string) int {
		if c[a] != c[b] {
			return c[b] - c[a]
		}
		return strings.Compare(a, b)
	})
	var b strings.Builder
	for _, what := range rows {
		fmt.Fprintf(&b, "%7d %s\n", c[what], what)
	}
	return b.String()
}

type auditLine struct {
	User struct {
		Username string `json:"username"`
	} `json:"user"`
	Verb      string `json:"verb"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Name        string `json:"name"`
	} `json:"objectRef"`
}

// Mark is the place in the audit log behind everything that the user has asked so far.
func (a *Audited) Mark() int64 {
	a.world.Helper()
	a.marks++
	name := fmt.Sprintf("%s%d", markPrefix, a.marks)
	c, err := client.New(a.Config, client.Options{Scheme: a.world.Client.Scheme()})
	a.world.must(err, "client of "+a.Name)
	key := client.ObjectKey{Namespace: a.world.Namespace, Name: name}
	if err := c.Get(a.world.Context(), key, &corev1.ConfigMap{}); client.IgnoreNotFound(err) != nil {
		a.world.Fatalf("mark the audit log: %v", err)
	}
	ctx, cancel := deadline()
	defer cancel()
	end, err := a.find(ctx, name)
	a.world.must(err, "find the mark in the audit log")
	return end
}

const markPrefix = "mark-of-the-audit-"

// find waits until the user's request for the object is in the log.
func (a *Audited) find(ctx context.Context, name string) (int64, error) {
	changes, err := fsnotify.NewWatcher()
	if err != nil {
		return 0, err
	}
	defer func() { _ = changes.Close() }()
	if err := changes.Add(cluster.audit); err != nil {
		return 0, err
	}
	for {
		found := int64(0)
		err := a.lines(0, func(l auditLine, end int64) {
			if l.ObjectRef.Name == name {
				found = end
			}
		})
		if err != nil || found > 0 {
			return found, err
		}
		select {
		case <-changes.Events:
		case err := <-changes.Errors:
			return 0, err
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// Between counts the user's requests between two marks.
func (a *Audited) Between(from, to int64) Count {
	a.world.Helper()
	out := Count{}
	a.world.must(a.lines(from, func(l auditLine, end int64) {
		if end > to || strings.HasPrefix(l.ObjectRef.Name, markPrefix) {
			return
		}
		what := l.Verb + " " + l.ObjectRef.Resource
		if l.ObjectRef.Subresource != "" {
			what += "/" + l.ObjectRef.Subresource
		}
		out[what]++
	}), "read the audit log")
	return out
}

// lines hands on the user's lines from an offset on, each with the offset behind it. It leaves out a line that is not
// all there yet.
func (a *Audited) lines(from int64, each func(auditLine, int64)) error {
	f, err := os.Open(cluster.audit)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return err
	}
	for r, at := bufio.NewReader(f), from; ; {
		raw, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		at += int64(len(raw))
		var l auditLine
		if err := json.Unmarshal(raw, &l); err != nil {
			return fmt.Errorf("the audit log at %d: %w", at, err)
		}
		if l.User.Username == a.Name {
			each(l, at)
		}
	}
}
