// Package cli is kubectl-handoff: signing agents in, and serving a tenant from its manifests without a cluster.
package cli

import (
	"github.com/spf13/cobra"
)

// New returns the command line. version is what the command version prints.
func New(version string) *cobra.Command {
	c := &cobra.Command{
		Use:   "kubectl-handoff",
		Short: "Work with handoff-operator's Copilots",
		// kubectl runs a plugin as "kubectl handoff": say it as the user does.
		Annotations:  map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl handoff"},
		SilenceUsage: true, SilenceErrors: true,
	}
	c.AddCommand(newLogin(), newServe(), newVersion(version), newAudit(), newRecords(), newOutbox())
	return c
}
