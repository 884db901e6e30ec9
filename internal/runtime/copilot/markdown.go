package copilot

import (
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdownParser reads CommonMark with GitHub's tables. A parser holds no state between documents.
var markdownParser = goldmark.New(goldmark.WithExtensions(extension.Table)).Parser()

// markdownSections cuts a Markdown document at its headings. Headings with nothing under them are only part of the
// paths of those below.
func markdownSections(document string) []section {
	src := []byte(document)
	root := markdownParser.Parse(text.NewReader(src))
	var out []section
	var levels []int
	var path []string
	var body []string
	flush := func() {
		if text := strings.TrimSpace(strings.Join(body, "\n\n")); text != "" {
			out = append(out, section{path: append([]string(nil), path...), text: text})
		}
		body = nil
	}
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		title := ""
		h, ok := n.(*ast.Heading)
		if ok {
			title = strings.Join(strings.Fields(plainInline(h, src)), " ")
		}
		if !ok || len(title) > headingText {
			if block := plainBlock(n, src); block != "" {
				body = append(body, block)
			}
			continue
		}
		flush()
		for len(levels) > 0 && levels[len(levels)-1] >= h.Level {
			levels, path = levels[:len(levels)-1], path[:len(path)-1]
		}
		levels, path = append(levels, h.Level), append(path, title)
	}
	flush()
	return out
}

// plainBlock renders a block for people who read plain text.
func plainBlock(n ast.Node, src []byte) string {
	switch n := n.(type) {
	case *ast.List:
		return plainList(n, src)
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		return strings.TrimRight(string(n.Lines().Value(src)), "\n")
	case *ast.ThematicBreak, *ast.HTMLBlock:
		return ""
	case *extast.Table:
		return joinChildren(n, "\n", func(row ast.Node) string {
			return joinChildren(row, " | ", func(cell ast.Node) string { return plainInline(cell, src) })
		})
	}
	if first := n.FirstChild(); first != nil && first.Type() == ast.TypeBlock {
		return joinChildren(n, "\n\n", func(child ast.Node) string { return plainBlock(child, src) })
	}
	return strings.TrimSpace(plainInline(n, src))
}

// plainList renders a list with its marks, and what is inside an item indented below it.
func plainList(list *ast.List, src []byte) string {
	number := list.Start
	return joinChildren(list, "\n", func(item ast.Node) string {
		mark := "- "
		if list.IsOrdered() {
			mark = strconv.Itoa(number) + ". "
			number++
		}
		body := joinChildren(item, "\n", func(child ast.Node) string { return plainBlock(child, src) })
		if body == "" {
			return ""
		}
		return mark + strings.ReplaceAll(body, "\n", "\n"+strings.Repeat(" ", len(mark)))
	})
}

func joinChildren(n ast.Node, sep string, render func(ast.Node) string) string {
	var parts []string
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		if s := render(child); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, sep)
}

// plainInline renders what is inside a paragraph: a link as "text (address)", no marks for emphasis, no HTML.
func plainInline(n ast.Node, src []byte) string {
	var out strings.Builder
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		switch child := child.(type) {
		case *ast.Text:
			out.Write(unescape(child, src))
			if child.SoftLineBreak() {
				out.WriteByte(' ')
			}
			if child.HardLineBreak() {
				out.WriteByte('\n')
			}
		case *ast.String:
			out.Write(child.Value)
		case *ast.AutoLink:
			out.Write(child.Label(src))
		case *ast.Link:
			label, address := plainInline(child, src), string(child.Destination)
			out.WriteString(label)
			if address != "" && address != label {
				out.WriteString(" (" + address + ")")
			}
		case *ast.RawHTML:
		default:
			out.WriteString(plainInline(child, src))
		}
	}
	return out.String()
}

// unescape resolves backslashes and entities, except in code.
func unescape(t *ast.Text, src []byte) []byte {
	if t.IsRaw() {
		return t.Value(src)
	}
	return util.UnescapePunctuations(util.ResolveEntityNames(util.ResolveNumericReferences(t.Value(src))))
}
