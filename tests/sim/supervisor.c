/* supervisor.c: what the supervisor sends: see member.h.
 *
 * A scene is a word, a letter a message, all of one instrument or of all:
 *   i o c v  into an auction: intraday, opening, closing, volatility     I indicative   U uncross   T trading
 *   H halted   C closed   W mass cancel   B block   L lift
 */
#include <string.h>

#include "nic/wire/entry.h"
#include "tests/sim/member.h"

static const char *const scenes[] = {"iIUT", "oIUT", "cIUT", "vUT",   "oIIUUT", "cIIUT", "iTUT",
                                     "coUT", "HT",   "HCoT", "CoIUT", "W",      "W",     "BWL",
                                     "BL",   "L",    "I",    "T",     "T"};
static const char last_scene[] = "LUT"; /* of everybody and everything */

static void begin(struct sim_member *x)
{
    const bool last = x->made + sizeof last_scene - 1 >= x->wanted;
    x->scene = last ? last_scene : scenes[sim_pick(x, sizeof scenes / sizeof *scenes)];
    x->scene_instrument = last || sim_pick(x, 3) == 0 ? 0 : 1 + sim_pick(x, 2);
    x->scene_scope = last ? 'F' : "SSSF"[sim_pick(x, 4)];
    /* The desk and the wild member are one firm; now and then the real client's sessions, or nobody. */
    x->scene_who = sim_pick(x, 3) == 0 ? 1 + sim_pick(x, 9) : x->session - 1;
    if (x->scene_scope == 'F')
        x->scene_who = last || sim_pick(x, 3) != 0 ? x->config->sessions[x->session - 1].firm
                                                   : 1 + sim_pick(x, 9);
}

static uint32_t mass_cancel(struct sim_member *x, const char symbol[8], uint8_t *p)
{
    const bool all = sim_pick(x, 5) == 0;
    return sb_entry_write_mass_cancel(p, x->key, symbol, all ? 'A' : x->scene_scope,
                                      all ? 0 : x->scene_who, "BS  "[sim_pick(x, 4)]);
}

uint32_t sim_supervisor_make(struct sim_member *x, uint8_t *p)
{
    if (*x->scene == '\0' || x->made + sizeof last_scene - 1 == x->wanted)
        begin(x);
    const char letter = *x->scene++;
    const char *symbol =
        x->scene_instrument == 0 ? "        " : x->config->instruments[x->scene_instrument].symbol;
    x->key++;
    switch (letter) {
    case 'i':
        return sb_entry_write_auction(p, x->key, symbol, 0);
    case 'o':
        return sb_entry_write_auction(p, x->key, symbol, 'O');
    case 'c':
        return sb_entry_write_auction(p, x->key, symbol, 'C');
    case 'v':
        return sb_entry_write_auction(p, x->key, symbol, 'V');
    case 'W':
        return mass_cancel(x, symbol, p);
    case 'B':
    case 'L':
        return sb_entry_write_kill(p, x->key, x->scene_scope, x->scene_who, letter);
    default: /* as a phase says it */
        return sb_entry_write_phase(p, x->key, symbol, letter);
    }
}
