package main

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/opencopilot/handoff-operator/internal/controller"
)

func newManager(c *rest.Config, o options) (manager.Manager, error) {
	scheme, err := controller.Scheme()
	if err != nil {
		return nil, err
	}
	mgr, err := manager.New(c, manager.Options{
		Scheme:                     scheme,
		Cache:                      controller.Cache(o.namespaces),
		Client:                     controller.Client(o.namespaces),
		Metrics:                    server.Options{BindAddress: o.metricsAddress},
		HealthProbeBindAddress:     o.healthAddress,
		PprofBindAddress:           o.pprofAddress,
		LeaderElection:             o.leaderElect,
		LeaderElectionID:           lease,
		LeaderElectionNamespace:    o.leaseNamespace,
		LeaderElectionResourceLock: resourcelock.LeasesResourceLock,
		// The process ends with the manager, so the next leader need not wait for the Lease to run out.
		LeaderElectionReleaseOnCancel: true,
		GracefulShutdownTimeout:       ptr.To(shutdown),
		Controller:                    controller.Tuning(),
	})
	if err != nil {
		return nil, fmt.Errorf("make the manager: %w", err)
	}
	return mgr, nil
}
