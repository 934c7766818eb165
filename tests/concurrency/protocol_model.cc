#include "protocol_model.h"

#include <bit>

namespace holdfast::model {
namespace {

constexpr Records kIntents = ((1U << kPrunes) - 1) << intent_record(0);

bool has(std::uint32_t set, int n) { return (set >> n & 1U) != 0; }
template <class Set>
void add(Set& set, int n) { set = static_cast<Set>(set | (1U << n)); }
template <class Set>
Set without(Set set, std::uint32_t other) { return static_cast<Set>(set & ~other); }

int point_of(int writer, int attempt) { return 1 + writer * kAttempts + attempt; }

std::string name(const char* what, int n) { return what + std::to_string(n); }
std::string names(Objects objects) {
  std::string text;
  for (int o = 0; o < kObjects; ++o) {
    if (has(objects, o)) text += (text.empty() ? "x" : " x") + std::to_string(o);
  }
  return "{" + text + "}";
}

}  // namespace

struct Protocol::Emit {
  std::vector<Successor>& out;
  const bool told;
  template <class Words>
  void operator()(const State& next, Words words, std::string violation = {}) {
    out.push_back({next, told ? words() : std::string(), std::move(violation)});
  }
};

// -- what a view says

int Protocol::log_of(int record) const {
  const int first_prune = shape_.writers;
  auto prune_log = [&](int prune) { return shape_.shared_log && prune == 0 ? 0 : first_prune + prune; };
  if (record < 2 * kPoints) {
    int point = record % kPoints;
    return point == 0 ? 0 : (point - 1) / kAttempts;
  }
  if (record < fence_record(0, 0)) return prune_log(record - intent_record(0));
  return prune_log((record - fence_record(0, 0)) / kPrunes);
}

Records Protocol::log_records(int log) const {
  Records records = 0;
  for (int r = 0; r <= fence_record(kPrunes - 1, kPrunes - 1); ++r) {
    if (log_of(r) == log) add(records, r);
  }
  return records;
}

bool Protocol::is_void(const State& s, int point, Records view) const {
  if (!rules_.points_can_be_void) return false;
  for (int k = 0; k < shape_.prunes; ++k) {
    for (int j = 0; j < shape_.prunes; ++j) {
      if (!has(view, fence_record(k, j)) || (s.goes[k][j] & s.needs[point]) == 0) continue;
      if (!has(s.fence_ground[k], point) && !has(s.ground[point], intent_record(j))) return true;
    }
  }
  return false;
}

Points Protocol::existing(const State& s, Records view) const {
  Points points = 0;
  for (int p = 0; p < kPoints; ++p) {
    if (has(view, point_record(p)) && !has(view, forget_record(p)) && !is_void(s, p, view)) add(points, p);
  }
  return points;
}

Objects Protocol::needed(const State& s, Records view) const {
  Objects objects = 0;
  const Points points = existing(s, view);
  for (int p = 0; p < kPoints; ++p) {
    if (has(points, p)) objects = static_cast<Objects>(objects | s.needs[p]);
  }
  return objects;
}

Objects Protocol::condemned(const State& s, Records view) const {
  unsigned objects = 0;
  for (int j = 0; j < shape_.prunes; ++j) {
    bool concluded = false;
    for (int k = 0; k < shape_.prunes; ++k) {
      if (!has(view, fence_record(k, j))) continue;
      concluded = true;
      if (rules_.writer_heeds_fences) objects |= s.goes[k][j];
    }
    if (!concluded && has(view, intent_record(j)) && rules_.writer_heeds_intents) objects |= s.condemned[j];
  }
  return static_cast<Objects>(objects);
}

// One more log is listed, whichever may be next. After the last one `then` goes on with the next state.
template <class Then>
void Protocol::list_logs(const State& s, View& (*view)(State&, int), int actor, const std::string& who, Emit& emit, Then then) const {
  State copy = s;
  const View before = view(copy, actor);
  for (int n = 0; n < logs(); ++n) {
    const int log = shape_.order == Shape::Order::prunes_first ? logs() - 1 - n : n;
    if (shape_.shared_log && log == shape_.writers) continue;   // prune 0 has none
    if (has(before.listed, log)) continue;
    State next = s;
    View& now = view(next, actor);
    add(now.listed, log);
    now.records |= s.visible & log_records(log);
    auto words = [&] { return who + " lists log " + std::to_string(log); };
    const int all = (1 << logs()) - 1 - (shape_.shared_log ? 1 << shape_.writers : 0);
    if (now.listed != all) {
      emit(next, words);
    } else {
      then(next, words);
    }
    if (shape_.order != Shape::Order::any) return;
  }
}

// -- a writer

Objects Protocol::new_object(int writer, int attempt, int content) const {
  int number = rules_.names_never_come_back ? kContents + (writer * kAttempts + attempt) * kContents + content : content;
  return static_cast<Objects>(1U << number);
}

// Which objects the next attempt uses: of each content a free one that was ever seen, or a new one.
void Protocol::choose(const State& s, int w, Records view, Emit& emit) const {
  const Writer& writer = s.writers[w];
  const int point = point_of(w, writer.attempt);
  const Objects usable = without(s.ever, condemned(s, view));
  std::vector<Objects> choices{0};
  for (int content = 0; content < shape_.contents; ++content) {
    std::vector<Objects> more;
    for (Objects chosen : choices) {
      more.push_back(static_cast<Objects>(chosen | new_object(w, writer.attempt, content)));
      for (int o = content; o < kObjects; o += kContents) {
        if (has(usable, o)) more.push_back(static_cast<Objects>(chosen | 1U << o));
      }
    }
    choices = more;
  }
  for (Objects chosen : choices) {
    State next = s;
    next.needs[point] = chosen;
    next.ground[point] = view & kIntents;
    next.writers[w].view = {};
    next.writers[w].at = WriterAt::put_objects;
    emit(next, [&] { return name("writer ", w) + " will need " + names(chosen) + " for point " + std::to_string(point); });
  }
}

void Protocol::after_second_view(State& s, int w) const {
  Writer& writer = s.writers[w];
  const int point = point_of(w, writer.attempt);
  if ((condemned(s, writer.view.records) & s.needs[point]) != 0) {
    writer.at = WriterAt::withdraw;
    return;
  }
  add(s.acknowledged, point);
  writer = {{}, WriterAt::done, writer.attempt};
}

void Protocol::writer_steps(const State& s, int w, Emit& emit) const {
  const Writer& writer = s.writers[w];
  const int point = point_of(w, writer.attempt);
  auto view = +[](State& state, int n) -> View& { return state.writers[n].view; };
  State next = s;
  switch (writer.at) {
    case WriterAt::first_view:
      return list_logs(s, view, w, name("writer ", w), emit, [&](State& n, auto words) {
        n.writers[w].at = WriterAt::choose;
        emit(n, words);
      });
    case WriterAt::choose:
      return choose(s, w, writer.view.records, emit);
    case WriterAt::put_objects: {
      Objects fresh = 0;
      for (int content = 0; content < shape_.contents; ++content) fresh |= new_object(w, writer.attempt, content);
      fresh &= s.needs[point];
      next.exists |= fresh;
      next.ever |= fresh;
      next.writers[w].at = WriterAt::put_point;
      return emit(next, [&] { return name("writer ", w) + " puts " + names(fresh); });
    }
    case WriterAt::put_point:
      add(next.visible, point_record(point));
      if (!rules_.point_tells_its_ground) next.ground[point] = s.visible & kIntents;
      next.writers[w].at = WriterAt::second_view;
      if (!rules_.writer_looks_again) {
        add(next.acknowledged, point);
        next.writers[w].at = WriterAt::done;
      }
      return emit(next, [&] { return name("writer ", w) + " puts the record of " + name("point ", point); });
    case WriterAt::second_view:
      return list_logs(s, view, w, name("writer ", w), emit, [&](State& n, auto words) {
        after_second_view(n, w);
        bool done = n.writers[w].at == WriterAt::done;
        emit(n, [&] { return words() + (done ? " and acknowledges " : " and must withdraw ") + name("point ", point); });
      });
    case WriterAt::withdraw: {
      add(next.visible, forget_record(point));
      bool again = writer.attempt + 1 < shape_.attempts;
      next.writers[w].attempt = static_cast<std::uint8_t>(writer.attempt + (again ? 1 : 0));
      next.writers[w].at = again ? WriterAt::choose : WriterAt::gave_up;
      if (!again) next.writers[w].view = {};
      return emit(next, [&] { return name("writer ", w) + " forgets " + name("point ", point); });
    }
    case WriterAt::done:
    case WriterAt::gave_up:
      return;
  }
}

// -- a prune

void Protocol::after_first_view(State& s, int k) const {
  Prune& prune = s.prunes[k];
  s.condemned[k] = without(s.exists, needed(s, prune.view.records));
  prune.view = {};
  prune.at = s.condemned[k] != 0 ? PruneAt::put_intent : PruneAt::done;
}

void Protocol::after_second_prune_view(State& s, int k) const {
  Prune& prune = s.prunes[k];
  const Records view = prune.view.records;
  const Objects spared = needed(s, view);
  for (int j = 0; j < shape_.prunes; ++j) {
    bool open = has(view, intent_record(j)) && !rules_.concludes_own_intent_only;
    for (int other = 0; other < shape_.prunes; ++other) open = open && !has(view, fence_record(other, j));
    if (j != k && !open) continue;
    add(prune.to_conclude, j);
    s.goes[k][j] = without(s.condemned[j], spared);
  }
  s.fence_ground[k] = static_cast<Points>(view & ((1U << kPoints) - 1));
  prune.view = {};
  prune.deletes = s.goes[k][k];
  prune.at = rules_.fence_before_delete || prune.deletes == 0 ? PruneAt::put_fences : PruneAt::deleting;
}

void Protocol::prune_steps(const State& s, int k, Emit& emit) const {
  const Prune& prune = s.prunes[k];
  auto view = +[](State& state, int n) -> View& { return state.prunes[n].view; };
  auto list = [&](auto then) {
    list_logs(s, view, k, name("prune ", k), emit, [&](State& n, auto words) {
      then(n);
      emit(n, words);
    });
  };
  State next = s;
  Prune& now = next.prunes[k];
  switch (prune.at) {
    case PruneAt::first_view:
      return list([&](State& n) { after_first_view(n, k); });
    case PruneAt::put_intent:
      if (rules_.prune_condemns_first) add(next.visible, intent_record(k));
      now.at = PruneAt::second_view;
      if (!rules_.prune_looks_again) {   // nothing is spared
        now.to_conclude = static_cast<Intents>(1U << k);
        next.goes[k][k] = now.deletes = s.condemned[k];
        now.at = PruneAt::put_fences;
      }
      return emit(next, [&] { return name("prune ", k) + " puts its intent, which condemns " + names(s.condemned[k]); });
    case PruneAt::second_view:
      return list([&](State& n) { after_second_prune_view(n, k); });
    case PruneAt::put_fences: {
      int j = has(prune.to_conclude, k) ? k : std::countr_zero(prune.to_conclude);   // its own first
      add(next.visible, fence_record(k, j));
      if (!rules_.fence_tells_its_ground) next.fence_ground[k] = static_cast<Points>(s.visible & ((1U << kPoints) - 1));
      now.to_conclude = without(prune.to_conclude, 1U << j);
      if (now.to_conclude == 0) now.at = prune.deletes != 0 ? PruneAt::deleting : PruneAt::done;
      return emit(next, [&] {
        return name("prune ", k) + " puts its fence for the intent of prune " + std::to_string(j) + ": " + names(s.goes[k][j]) + " goes";
      });
    }
    case PruneAt::deleting: {
      Objects one = static_cast<Objects>(prune.deletes & -prune.deletes);
      next.exists = without(s.exists, one);
      now.deletes = without(prune.deletes, one);
      if (now.deletes == 0) now.at = prune.to_conclude != 0 ? PruneAt::put_fences : PruneAt::done;
      return emit(next, [&] { return name("prune ", k) + " deletes " + names(one); });
    }
    case PruneAt::done:
      return;
  }
}

// -- the others

void Protocol::forget_steps(const State& s, Emit& emit) const {
  for (int p = 0; p < kPoints; ++p) {
    bool may = p == 0 ? shape_.forgets_first : shape_.forgets_others;
    if (!may || !has(s.visible, point_record(p)) || has(s.visible, forget_record(p))) continue;
    State next = s;
    add(next.visible, forget_record(p));
    emit(next, [&] { return "somebody forgets " + name("point ", p); });
  }
}

std::string Protocol::reader_verdict(const State& s) const {
  const Records view = s.reader.view.records;
  const Points points = existing(s, view);
  for (int p = 0; p < kPoints; ++p) {
    if (has(points, p) && (s.needs[p] & s.reader.gone) != 0)
      return "a reader lists " + name("point ", p) + ", which lacks " + names(s.needs[p] & s.reader.gone);
    if (has(s.acknowledged, p) && has(view, point_record(p)) && is_void(s, p, view))
      return "a reader takes the acknowledged " + name("point ", p) + " for void";
  }
  return {};
}

void Protocol::reader_steps(const State& s, Emit& emit) const {
  if (!s.reader.reads) {
    State next = s;
    next.reader = {{}, true, without(s.ever, s.exists)};
    return emit(next, [&] { return std::string("a reader begins"); });
  }
  auto view = +[](State& state, int) -> View& { return state.reader.view; };
  list_logs(s, view, 0, "a reader", emit, [&](State& n, auto words) {
    std::string verdict = reader_verdict(n);
    n.reader = {};
    emit(n, words, std::move(verdict));
  });
}

// -- all of it

State Protocol::initial() const {
  State s;
  add(s.visible, point_record(0));
  add(s.acknowledged, 0);
  for (int content = 0; content < shape_.contents; ++content) add(s.exists, content);
  s.ever = s.exists;
  s.needs[0] = s.exists;
  return s;
}

void Protocol::successors(const State& state, bool told, std::vector<Successor>& out) const {
  out.clear();
  Emit emit{out, told};
  for (int w = 0; w < shape_.writers; ++w) writer_steps(state, w, emit);
  for (int k = 0; k < shape_.prunes; ++k) prune_steps(state, k, emit);
  forget_steps(state, emit);
  if (shape_.reader) reader_steps(state, emit);
}

std::string Protocol::violation(const State& s) const {
  const Points listed = existing(s, s.visible);
  for (int p = 0; p < kPoints; ++p) {
    if (!has(s.visible, point_record(p))) continue;
    const bool forgotten = has(s.visible, forget_record(p));
    const Objects lacks = without(s.needs[p], s.exists);
    if (has(s.acknowledged, p) && !forgotten && lacks != 0) return "the acknowledged " + name("point ", p) + " has lost " + names(lacks);
    if (has(s.acknowledged, p) && !forgotten && is_void(s, p, s.visible)) return "the acknowledged " + name("point ", p) + " is void";
    if (has(listed, p) && lacks != 0) return name("point ", p) + " is listed and lacks " + names(lacks);
  }
  return {};
}

std::string Protocol::unfinished_business(const State& s) const {
  int restarts = 0;
  for (int w = 0; w < shape_.writers; ++w) {
    if (s.writers[w].at != WriterAt::done && s.writers[w].at != WriterAt::gave_up) return {};
    restarts += s.writers[w].attempt + (s.writers[w].at == WriterAt::gave_up ? 1 : 0);
  }
  for (int k = 0; k < shape_.prunes; ++k) {
    if (s.prunes[k].at != PruneAt::done) return {};
  }
  const Records intents = s.visible & kIntents;
  if (restarts > shape_.writers * std::popcount(intents)) return "a writer began again more often than there were intents";
  for (int j = 0; j < shape_.prunes; ++j) {
    if (has(intents, intent_record(j)) && !has(s.visible, fence_record(j, j))) return "an intent stays open although its prune ran to the end";
  }
  const Objects lasting = condemned(s, s.visible) & needed(s, s.visible);
  if (lasting != 0) return names(lasting) + " stays condemned although a point needs it";
  const Objects left = condemned(s, s.visible) & s.exists;
  if (left != 0) return names(left) + " was to go and is still there";
  return {};
}

}  // namespace holdfast::model
