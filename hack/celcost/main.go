// Command celcost prints what each CEL rule of a CRD costs at most, as the API server estimates it when the CRD is
// applied: per rule of 10,000,000 units, and together of 100,000,000. A rule above is refused, and with it the CRD.
//
// usage: celcost FILE...
package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/version"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"sigs.k8s.io/yaml"
)

// oldest is the oldest Kubernetes whose API server must take the rules.
const oldest = "1.33"

func main() {
	var errs []error
	for _, name := range os.Args[1:] {
		errs = append(errs, report(name))
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintln(os.Stderr, "celcost:", err)
		os.Exit(1)
	}
}

// cost of one rule or its messageExpression.
type cost struct {
	path  string
	units uint64
	text  string
}

func report(file string) error {
	schema, err := read(file)
	if err != nil {
		return err
	}
	costs, err := walk(schema, nil, validation.RootCELContext(schema))
	slices.SortStableFunc(costs, func(a, b cost) int { return cmp.Compare(b.units, a.units) })
	var sum uint64
	for _, c := range costs {
		sum += c.units
	}
	fmt.Printf("%s: %d of %d units in %d expressions\n", file, sum, validation.StaticEstimatedCRDCostLimit, len(costs))
	for _, c := range costs {
		fmt.Printf("%12d %5.1f%% %s  %s\n", c.units, 100*float64(c.units)/validation.StaticEstimatedCostLimit, c.path, c.text)
		if c.units > validation.StaticEstimatedCostLimit {
			err = errors.Join(err, fmt.Errorf("%s: %s costs %d units", file, c.path, c.units))
		}
	}
	if sum > validation.StaticEstimatedCRDCostLimit {
		err = errors.Join(err, fmt.Errorf("%s: all rules together cost %d units", file, sum))
	}
	return err
}

func read(file string) (*apiextensions.JSONSchemaProps, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var crd v1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(raw, &crd); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var schema apiextensions.JSONSchemaProps
	if err := v1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(crd.Spec.Versions[0].Schema.OpenAPIV3Schema, &schema, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &schema, nil
}

// walk estimates the rules of a schema and of all below it.
func walk(s *apiextensions.JSONSchemaProps, path *field.Path, ctx *validation.CELSchemaContext) ([]cost, error) {
	costs, err := here(s, path, ctx)
	errs := []error{err}
	below := func(s *apiextensions.JSONSchemaProps, path *field.Path, ctx *validation.CELSchemaContext) {
		more, err := walk(s, path, ctx)
		costs, errs = append(costs, more...), append(errs, err)
	}
	for name, p := range s.Properties {
		child := field.NewPath(name)
		if path != nil {
			child = path.Child(name)
		}
		below(&p, child, ctx.ChildPropertyContext(&p, name))
	}
	if s.Items != nil && s.Items.Schema != nil {
		below(s.Items.Schema, path.Key("*"), ctx.ChildItemsContext(s.Items.Schema))
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		below(s.AdditionalProperties.Schema, path.Key("*"), ctx.ChildAdditionalPropertiesContext(s.AdditionalProperties.Schema))
	}
	return costs, errors.Join(errs...)
}

// here estimates the rules of one schema. A rule counts as often as its value may occur, a message once.
func here(s *apiextensions.JSONSchemaProps, path *field.Path, ctx *validation.CELSchemaContext) ([]cost, error) {
	if len(s.XValidations) == 0 {
		return nil, nil
	}
	info, err := ctx.TypeInfo()
	if err != nil {
		return nil, err
	}
	results, err := cel.Compile(info.Schema, info.DeclType, celconfig.PerCallLimit,
		environment.MustBaseEnvSet(version.MustParse(oldest)), cel.NewExpressionsEnvLoader())
	if err != nil {
		return nil, err
	}
	var costs []cost
	var errs []error
	for i, r := range results {
		rule := s.XValidations[i]
		times := r.MaxCardinality
		if ctx.MaxCardinality != nil && *ctx.MaxCardinality < times {
			times = *ctx.MaxCardinality
		}
		if r.Error != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", path, rule.Rule, r.Error))
		}
		if r.MessageExpressionError != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", path, rule.MessageExpression, r.MessageExpressionError))
		}
		costs = append(costs, cost{path.String(), r.MaxCost * times, rule.Rule}, cost{path.String(), r.MessageExpressionMaxCost, rule.MessageExpression})
	}
	return costs, errors.Join(errs...)
}
