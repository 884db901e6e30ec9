package decide

import "strings"

// cue is a kind of words that shows a bad mood, with the points it gives once, however often it is found. A phrase
// after "not" gives none. A * in a phrase stands for up to two words. Colour is swearing, which gives none in praise
// ("fucking brilliant").
type cue struct {
	points  int
	colour  bool
	phrases string
}

// cuePoints are the points of all cues in the message, and the words that gave them.
func cuePoints(t text, praise bool) (int, []string) {
	points := 0
	var evidence []string
	given := make([]bool, len(cues))
	for i := range t.words {
		for _, p := range cuePhrases[t.words[i].folded] {
			c := cues[p.cue]
			if given[p.cue] || c.colour && praise {
				continue
			}
			if n := p.lengthAt(t, i); n > 0 && !t.negatedAt(i) {
				given[p.cue] = true
				points += c.points
				evidence = append(evidence, t.written(i, i+n))
			}
		}
	}
	return points, evidence
}

// negatedAt reports whether one of the two words before i in its clause is a negation.
func (t text) negatedAt(i int) bool {
	for j := i - 1; j >= max(0, i-2) && !t.words[j+1].afterBreak; j-- {
		if negators[t.words[j].folded] {
			return true
		}
	}
	return false
}

var negators = set("not isnt arent never dont wasnt nicht kein keine pas non no niet geen ليس لست")

// cuePhrase is one phrase of the cue with this index.
type cuePhrase struct {
	cue   int
	words []string
}

// lengthAt is how many words the phrase takes at i, 0 if it is not there.
func (p cuePhrase) lengthAt(t text, i int) int {
	at, gap := i, false
	for _, want := range p.words {
		if want == "*" {
			gap = true
			continue
		}
		last := at
		if gap {
			last = at + 2
		}
		for at <= last && at < len(t.words) && t.words[at].folded != want {
			at++
		}
		if at > last || at >= len(t.words) {
			return 0
		}
		at, gap = at+1, false
	}
	for j := i + 1; j < at; j++ {
		if t.words[j].afterBreak {
			return 0
		}
	}
	return at - i
}

// cuePhrases has the phrases of all cues by their first word, so that a message costs one look-up for each of its words.
var cuePhrases = indexCues()

func indexCues() map[string][]cuePhrase {
	m := map[string][]cuePhrase{}
	for i, c := range cues {
		for _, entry := range splitEntries(c.phrases) {
			words := strings.Fields(entry)
			m[words[0]] = append(m[words[0]], cuePhrase{i, words})
		}
	}
	return m
}

// cues of a bad mood, separated by commas, in folded spelling (no accents, no apostrophes).
var cues = []cue{
	// Fury and insults.
	{points: 4, phrases: `fuck, fuck off, fuck you, fucked, wtf, bullshit, asshole, assholes, idiots, idiot, morons, moron,
		screw you, go to hell, piss off, pissed, pissed off, furious, livid, outraged, enraged, so angry, very angry, really angry,
		sick and tired, fed up, had enough, sick of this, tired of this, sick of you, unacceptable, outrageous, disgusting, disgraceful,
		you * liars, thieves, crooks, this is a joke, what a joke, are you kidding me, are you joking, worst * service, worst * support,
		worst * company, worst * experience, hate you, i hate this, i hate your, useless bot, stupid bot,
		dumb bot, useless company, how dare you, ripped me off, rip off, ripoff, scammers, waste of time, wasting my time,
		waste my time, stop wasting, this is the third time, third time i, fourth time i, fifth time i, tenth time i, hundredth time,
		how many times do i have, how many times must i, how many times have i told, how many times have i asked, how many more times,
		a million times, for the last time, i give up, giving up, done with you, done with this, last time i`},
	// Patience at its end.
	{points: 3, phrases: `third time, fourth time, fifth time, tenth time, again and again,
		ridiculous, pathetic, absurd, useless, liar, liars, crap,
		i am angry, im angry, angry, mad at, incompetent, a disgrace, shame on you, appalling, never again`},
	// Swearing that may be only colour.
	{points: 4, colour: true, phrases: `fucking, fuckin, fck, fcking, shit, shitty`},
	{points: 2, colour: true, phrases: `damn, damned, goddamn, goddam, bloody, freaking, frigging, hell`},
	{points: 2, phrases: `crappy, sucks, suck, stupid, dumb, nonsense, terrible, awful, horrible`},
	// Displeasure.
	{points: 2, phrases: `disappointed, disappointing, unhappy, not happy, dissatisfied, displeased, frustrated, frustrating, annoyed, annoying, upset,
		irritated, irritating, not helpful, unhelpful, no help, not helping, doesnt help, didnt help, dont understand me, you dont understand,
		cannot understand you, cant understand you, do not understand you, dont understand you, not what i asked, not what i said,
		second time, still waiting, still nothing, still no answer, still not, still doesnt work, nobody answers, no one answers,
		no response, no reply, makes no sense, not good enough, poor service, bad service, too slow, not acceptable, not satisfied,
		waste, already told you, i already said, not working at all, leading nowhere`},
	// German.
	{points: 4, phrases: `scheisse, scheiss, verdammt, verarscht, verarschen, frechheit, unverschamt, unverschamtheit, sauerei, stinksauer, wutend,
		die schnauze voll, die nase voll, es reicht, reicht mir, betruger, abzocke, inakzeptabel, unfassbar, idioten, zum dritten mal, zum x ten mal,
		saftladen, so eine frechheit`},
	{points: 2, phrases: `enttauscht, unzufrieden, argerlich, verargert, frustriert, nervt, genervt, nutzlos, hilft mir nicht, hilft nicht, schlechter service,
		immer noch nicht, schon wieder, lacherlich, katastrophe, schrecklich, sauer`},
	// French.
	{points: 4, phrases: `merde, putain, foutre, furieux, furieuse, inadmissible, inacceptable, scandaleux, honteux, une honte, ras le bol, jen ai marre,
		marre, escrocs, voleurs, arnaque, incompetents, troisieme fois, cest du vol`},
	{points: 2, phrases: `decu, decue, mecontent, mecontente, enerve, enervee, frustre, frustree, inutile, toujours pas, nul, ca ne marche pas, lamentable`},
	// Spanish.
	{points: 4, phrases: `mierda, joder, puta, cono, furioso, furiosa, indignante, inaceptable, vergonzoso, una verguenza, harto, harta, estafa, estafadores,
		ladrones, idiotas, tercera vez, estoy cansado de, me tienen, inutiles`},
	{points: 2, phrases: `decepcionado, decepcionada, insatisfecho, insatisfecha, molesto, molesta, enfadado, enfadada, enojado, enojada, frustrado,
		frustrada, no me ayuda, todavia no, pesimo, pesima`},
	// Dutch.
	{points: 4, phrases: `verdomme, godverdomme, klote, kut, woedend, woest, razend, schandalig, onacceptabel, belachelijk, ik ben het zat, ben het zat,
		oplichters, dieven, derde keer, schande`},
	{points: 2, phrases: `teleurgesteld, ontevreden, boos, gefrustreerd, irritant, nutteloos, nog steeds niet, nog steeds geen, slechte service, helpt niet`},
	// Arabic, folded.
	{points: 4, phrases: `غاضب, غاضبه, غاضب جدا, نصابين, نصب, حراميه, غير مقبول, فضيحه, زفت, مهزله, طفح الكيل, للمره الثالثه, اغبياء, سئمت`},
	{points: 2, phrases: `مستاء, مستاءه, محبط, محبطه, غير راض, غير راضيه, خيبه امل, سيء, سيئه, لا يعمل, مزعج`},
}
