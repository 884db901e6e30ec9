package table

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// assemble returns c's inputs. complete is false while some of them may still be read soon.
func (s *session) assemble(ctx context.Context, c *candidate) (in Inputs, complete bool) {
	in = Inputs{Revision: c.revision, Version: c.version, Table: c.table,
		ConfigMaps: map[string]map[string]string{}, Secrets: map[string]map[string][]byte{}}
	unread := 0
	for _, name := range c.configMaps {
		object, known := s.object(ref{configMaps, name})
		if cm, exists := object.(*corev1.ConfigMap); exists {
			in.ConfigMaps[name] = cm.Data
		} else if old, had := s.last.ConfigMaps[name]; !known && had {
			in.ConfigMaps[name] = old
		}
		unread += count(!known)
	}
	for _, name := range c.secrets {
		object, known := s.object(ref{secrets, name})
		if secret, exists := object.(*corev1.Secret); exists {
			in.Secrets[name] = secret.Data
		} else if old, had := s.last.Secrets[name]; !known && had {
			in.Secrets[name] = old
		}
		unread += count(!known)
	}
	if grace := c.since.Add(s.opts.ReadGrace); unread > 0 && time.Now().Before(grace) {
		s.due(grace)
		return Inputs{}, false
	}
	return in, true
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func (s *session) object(r ref) (object any, known bool) {
	f := s.followed[r]
	if f == nil {
		return nil, false
	}
	return f.get()
}

// followInputs watches exactly what the tables in use and next name.
func (s *session) followInputs(ctx context.Context) {
	wanted := map[ref]bool{}
	for _, c := range []*candidate{s.current, s.next} {
		if c == nil {
			continue
		}
		for _, name := range c.secrets {
			wanted[ref{secrets, name}] = true
		}
		for _, name := range c.configMaps {
			wanted[ref{configMaps, name}] = true
		}
	}
	for r, f := range s.followed {
		if !wanted[r] {
			f.stop()
			delete(s.followed, r)
		}
	}
	for r := range wanted {
		if s.followed[r] == nil {
			s.followed[r] = s.follow(ctx, r)
		}
	}
}
