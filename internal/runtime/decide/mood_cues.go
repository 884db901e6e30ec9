package decide

import (
	"regexp"
	"strings"
)

// cue is a kind of words that shows a bad mood, with the points it gives once. A cue after "not" gives none.
type cue struct {
	points  int
	anchors []string
	re      *regexp.Regexp
}

// in looks for the cue in folded text and gives its points and the words found.
func (c cue) in(folded string) (int, string) {
	if !containsAny(folded, c.anchors) {
		return 0, ""
	}
	for _, at := range c.re.FindAllStringSubmatchIndex(folded, -1) {
		before := strings.Fields(folded[:at[0]])
		if n := len(before); n > 0 && negators[before[n-1]] || n > 1 && negators[before[n-2]] && before[n-1] != "." {
			continue
		}
		return c.points, strings.TrimSpace(folded[at[2]:at[3]])
	}
	return 0, ""
}

func containsAny(s string, anchors []string) bool {
	for _, a := range anchors {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}

var negators = set("not isnt arent never dont wasnt nicht kein keine pas non no niet geen ليس لست")

// newCue makes a cue of folded words and phrases; " * " in a phrase stands for up to two words. Anchors are the longest
// plain word of each phrase: text with none of them is dismissed without the expression.
func newCue(points int, phrases string) cue {
	var alternatives, anchors []string
	for _, p := range strings.Split(phrases, ",") {
		p = strings.Join(strings.Fields(p), " ")
		longest := ""
		for _, w := range strings.Fields(p) {
			if w != "*" && len(w) > len(longest) {
				longest = w
			}
		}
		anchors = append(anchors, longest)
		alternatives = append(alternatives, strings.ReplaceAll(regexp.QuoteMeta(p), ` \* `, ` (?:\S+ ){0,2}`))
	}
	return cue{points, anchors, regexp.MustCompile(` (` + strings.Join(alternatives, "|") + `) `)}
}

// cues of a bad mood, in folded spelling (no accents, no apostrophes).
var cues = []cue{
	// Fury and insults.
	newCue(4, `fuck, fuck off, fuck you, fucking, fuckin, fucked, fck, wtf, bullshit, bs, asshole, assholes, idiots, idiot, morons, moron,
		screw you, go to hell, piss off, pissed, pissed off, furious, livid, outraged, enraged, so angry, very angry, really angry,
		sick and tired, fed up, had enough, sick of this, tired of this, sick of you, unacceptable, outrageous, disgusting, disgraceful,
		you * liars, thieves, crooks, this is a joke, what a joke, are you kidding me, are you joking, worst * service, worst * support,
		worst * company, worst * experience, never again, hate you, i hate this, i hate your, you people, useless bot, stupid bot,
		dumb bot, useless company, how dare you, ripped me off, rip off, ripoff, scammers, last time i * ask, waste of time, wasting my time,
		waste my time, stop wasting`),
	// Patience at its end.
	newCue(3, `third time, fourth time, fifth time, tenth time, hundredth time, how many times, how many more times, a million times,
		for the last time, over and over, again and again, i give up, giving up, done with you, done with this, im done,
		ridiculous, pathetic, absurd, useless, horrible service, terrible service, awful service, liar, liars, shit, shitty, crap,
		i am angry, im angry, angry, mad at, incompetent, a disgrace, shame on you, appalling`),
	// Swearing that may be only colour.
	newCue(2, `damn, damned, goddamn, goddam, bloody, freaking, frigging, hell, crappy, sucks, suck, stupid, dumb, nonsense, terrible, awful,
		horrible`),
	// Displeasure.
	newCue(2, `disappointed, disappointing, unhappy, not happy, dissatisfied, displeased, frustrated, frustrating, annoyed, annoying, upset,
		irritated, irritating, not helpful, unhelpful, no help, not helping, doesnt help, didnt help, dont understand me, you dont understand,
		cannot understand you, cant understand you, do not understand you, dont understand you, not what i asked, not what i said,
		second time, still waiting, still nothing, still no answer, still not, still doesnt work, nobody answers, no one answers,
		no response, no reply, makes no sense, not good enough, poor service, bad service, too slow, not acceptable, not satisfied,
		waste, already told you, i told you, as i said, i already said, not working at all, leading nowhere`),
	// German.
	newCue(4, `scheisse, scheiss, verdammt, verarscht, verarschen, frechheit, unverschamt, unverschamtheit, sauerei, stinksauer, wutend,
		die schnauze voll, die nase voll, es reicht, reicht mir, betruger, abzocke, inakzeptabel, unfassbar, idioten, zum dritten mal, zum x ten mal,
		saftladen, so eine frechheit`),
	newCue(2, `enttauscht, unzufrieden, argerlich, verargert, frustriert, nervt, genervt, nutzlos, hilft mir nicht, hilft nicht, schlechter service,
		immer noch nicht, schon wieder, lacherlich, katastrophe, schrecklich, sauer`),
	// French.
	newCue(4, `merde, putain, foutre, furieux, furieuse, inadmissible, inacceptable, scandaleux, honteux, une honte, ras le bol, jen ai marre,
		marre, escrocs, voleurs, arnaque, incompetents, troisieme fois, cest du vol`),
	newCue(2, `decu, decue, mecontent, mecontente, enerve, enervee, frustre, frustree, inutile, toujours pas, nul, ca ne marche pas, lamentable`),
	// Spanish.
	newCue(4, `mierda, joder, puta, cono, furioso, furiosa, indignante, inaceptable, vergonzoso, una verguenza, harto, harta, estafa, estafadores,
		ladrones, idiotas, tercera vez, estoy cansado de, me tienen, inutiles`),
	newCue(2, `decepcionado, decepcionada, insatisfecho, insatisfecha, molesto, molesta, enfadado, enfadada, enojado, enojada, frustrado,
		frustrada, no me ayuda, todavia no, pesimo, pesima, terrible`),
	// Dutch.
	newCue(4, `verdomme, godverdomme, klote, kut, shit, woedend, woest, razend, schandalig, onacceptabel, belachelijk, ik ben het zat, ben het zat,
		oplichters, dieven, idioten, derde keer, schande`),
	newCue(2, `teleurgesteld, ontevreden, boos, gefrustreerd, irritant, nutteloos, nog steeds niet, nog steeds geen, slechte service, helpt niet`),
	// Arabic, folded.
	newCue(4, `غاضب, غاضبه, غاضب جدا, نصابين, نصب, حراميه, غير مقبول, فضيحه, زفت, مهزله, طفح الكيل, للمره الثالثه, اغبياء, سئمت`),
	newCue(2, `مستاء, مستاءه, محبط, محبطه, غير راض, غير راضيه, خيبه امل, سيء, سيئه, لا يعمل, مزعج`),
}
