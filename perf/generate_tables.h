/* generate_tables.h: what generated flow is calibrated on.
 *
 * Measured by replaying the captures: sse-20230711-{600761,601825,605580} (three Shanghai shares, one day; the mean of the
 * three is taken) and, for times between events, lobster-20120621-AAPL (one hour of Nasdaq, nanosecond stamps; the Shanghai
 * stamps are 10 ms). Continuous trading only, unless said. In brackets: the three Shanghai values, then Nasdaq's.
 */
#ifndef SHADOWBOOK_PERF_GENERATE_TABLES_H
#define SHADOWBOOK_PERF_GENERATE_TABLES_H

#include <stdint.h>

enum {
    /* Of all events, in 1/1000. */
    GEN_CANCEL = 202, /* [192, 195, 217; 465] the rest are new orders */
    /* Of new orders. */
    GEN_AGGRESSOR = 422,    /* reach the other side's touch [419, 485, 364; 70] */
    GEN_SAME_SIDE = 648,    /* on the side of the new order before it [706, 689, 549; 630] */
    GEN_AUCTION_OPEN = 20,  /* all events that fall into the two auctions: 31 of 1000 */
    GEN_AUCTION_CLOSE = 11, /* [7, 89, 43; none] */
    /* Of aggressors. Shanghai has no IOC; in the Nasdaq set every aggressor is one. Chosen in between. */
    GEN_IOC = 100,
    /* Of cancels: takes all that is open [1000, 1000, 1000; 989]. */
    GEN_CANCEL_ALL = 997,
    /* Open orders of one book [600, 1900, 2400; 380]: above this cancels are preferred. */
    GEN_OPEN_MAX = 2000,
    GEN_OPEN_MIN = 40,
    /* Chosen: how often the next event is of the same instrument (times of several instruments are no part of the captures). */
    GEN_SAME_INSTRUMENT = 400,
};

/* A distribution as points of its cumulative share in 1/10000; between two points values are even. */
struct gen_point {
    uint32_t share;
    int32_t value;
};

/* Ticks of a passive order behind its own side's touch; negative: into the spread. */
static const struct gen_point GEN_DISTANCE[] = {
    {30, -3},  {85, -2},  {450, -1},  {6055, 0},  {7250, 1},  {7788, 2},   {8106, 3},   {8368, 4},
    {8528, 5}, {8746, 7}, {8940, 10}, {9255, 20}, {9620, 50}, {9860, 100}, {10000, 200}};

/* Ticks of an aggressor beyond the other side's touch. */
static const struct gen_point GEN_BEYOND[] = {{9606, 0}, {9903, 1}, {9966, 2},
                                              {9986, 3}, {9993, 4}, {10000, 6}};

/* Round lots (100 shares) of passive orders and of aggressors. */
static const struct gen_point GEN_LOTS_PASSIVE[] = {
    {2330, 1},  {3600, 2},  {4330, 3},   {4810, 4},   {5500, 5},   {5820, 6},
    {6120, 7},  {6370, 8},  {6520, 9},   {7220, 10},  {7650, 15},  {8100, 20},
    {8600, 30}, {9200, 50}, {9600, 100}, {9800, 200}, {9970, 500}, {10000, 1700}};
static const struct gen_point GEN_LOTS_AGGRESSOR[] = {
    {2820, 1},  {4200, 2},  {5180, 3},   {5840, 4},   {6440, 5},    {6870, 6},
    {7130, 7},  {7360, 8},  {7540, 9},   {7950, 10},  {8400, 15},   {8800, 20},
    {9200, 30}, {9550, 50}, {9800, 100}, {9900, 200}, {10000, 1100}};

/* Nanoseconds between two events: quantiles of the Nasdaq set. Scaled as a whole to fill the session. */
static const struct gen_point GEN_GAP_NS[] = {
    {500, 439},        {1000, 4770},      {2000, 32045},      {3000, 79491},      {4000, 149466},
    {5000, 515413},    {6000, 1028464},   {7000, 4162840},    {8000, 19930899},   {9000, 107547516},
    {9500, 247461836}, {9900, 661232588}, {9990, 1483106038}, {10000, 2000000000}};

/* Seconds since midnight, all three Shanghai sets (09:15, 09:25, 09:30, 14:57, 15:00). */
enum {
    GEN_OPEN_S = 33300,
    GEN_UNCROSS_S = 33900,
    GEN_CONTINUOUS_S = 34200,
    GEN_CLOSE_S = 53820,
    GEN_END_S = 54000,
};

/* Events of one instrument in a day, at most [46130, 11239, 33996]. More events make more days. */
enum { GEN_DAY_EVENTS = 46000 };

#endif
