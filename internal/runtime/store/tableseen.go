package store

import "time"

// TableVersion says which routing table a replica works by. The zero Generation is that of a table without versions, from a
// file for example: there is no other to be newer.
type TableVersion struct {
	// Created is when the table's object was made, Generation counts its contents since.
	Created    time.Time
	Generation int64
	Revision   string
}

// Outdates says whether a replica that works by another table must not offer work by it any more.
func (v TableVersion) Outdates(o TableVersion) bool {
	newer := v.Created.After(o.Created) || v.Created.Equal(o.Created) && v.Generation > o.Generation
	return o.Generation != 0 && newer && v.Revision != o.Revision
}

const queryTableSeen = `SELECT created, generation, revision FROM table_seen`

func (r reader) TableSeen() (v TableVersion, err error) {
	query := queryTableSeen
	if r.writing != nil {
		query += r.forShare
	}
	err = r.each(func(scan func(...any) error) error {
		var created int64
		err := scan(&created, &v.Generation, &v.Revision)
		v.Created = time.Unix(0, created).UTC()
		return err
	}, query)
	return v, err
}

func (w tx) SawTable(v TableVersion) error {
	return w.note("note table", v.Revision, w.exec(`UPDATE table_seen SET created = $1, generation = $2, revision = $3
		WHERE created < $1 OR created = $1 AND generation < $2`, v.Created.UnixNano(), v.Generation, v.Revision))
}
