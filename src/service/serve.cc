#include "service/serve.h"

#include <atomic>
#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "http/server.h"
#include "platform/supervisor.h"
#include "service/api/answer.h"
#include "service/api/api.h"
#include "service/tls.h"
#include "system/web_address.h"

namespace holdfast::service {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 200ms;      // how soon the end of a job and of the service is seen
constexpr auto kLookEvery = 1min;  // for what is due once a day
constexpr auto kAskEvery = 5s;     // whether those who receive events are still signed in
constexpr auto kPatience = 5s;     // for requests that are being answered at the end
constexpr std::string_view kTopics[] = {"schedule_overdue", "schedule_unknown", "clock_behind",
                                        "calendar_unusable"};  // docs/findings.md

LastWords last_words(const std::string& result) {
  const Json line = result.empty() ? Json(nullptr) : Json::parse(result, nullptr, false);
  if (!line.is_object()) return {};
  const auto text = [&](const char* name) {
    const auto found = line.find(name);
    return found != line.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (text("type") != "error") return {};
  return {text("message"), text("safe"), text("hint")};
}

// Jobs after which the repository has another size.
bool changes_size(const std::string& kind) {
  return kind == "backup" || kind == "prune" || kind == "retention";
}

// Hears the end of every job and leaves what follows to the service's own thread.
class Ends final : public JobListener {
 public:
  bool hear(const JobEvent& event) override {
    if (event.kind == JobEvent::Kind::end) ended_ = true;
    return true;
  }
  bool listening() const override { return true; }
  bool take() { return ended_.exchange(false); }

 private:
  std::atomic<bool> ended_{false};
};

// Everything behind the socket, in the order in which it depends on what is before it.
class Service {
 public:
  Service(const ServeSetup& setup, platform::World& world, const item::AdapterSet& adapters,
          LiveConfiguration& configuration)
      : setup_(setup),
        world_(world),
        configuration_(configuration),
        state_(world.files, world.entropy, setup.state, StateFile::Use::service),
        audit_(state_, world.clock),
        passwords_(world.entropy),
        users_(state_, audit_, passwords_, world.clock),
        tokens_(state_, audit_, world.clock, world.entropy),
        sessions_(state_, audit_, world.clock, world.entropy),
        sign_in_(state_, audit_, passwords_, sessions_, world.clock),
        jobs_(state_, audit_, world.clock),
        notifications_(state_, audit_, world.clock),
        delivery_(world.files, Sender{configuration.now()->name, world.host.host_name()}),
        courier_(
            notifications_, delivery_, [this] { return configuration_.now()->settings.notifications; },
            setup.say),
        archive_(
            {world, setup.state, "holdfast " + setup.version, [this] { return location(); }, setup.way_in}),
        standing_(world, adapters, setup.state, configuration, archive_),
        growth_(state_, world.clock),
        guard_(sessions_, tokens_, audit_, world.clock),
        runner_(state_, audit_, jobs_, world.clock,
                {setup.program, setup.configuration, setup.state, setup.key_file, world.environment},
                [this](Transaction& change, const JobReport& report) { job_ended(change, report); }),
        scheduler_(
            configuration, jobs_, audit_, world.clock, schedule::ZoneFiles{world.files},
            [this](const NewJob& job, const Actor& by) { return runner_.add(job, by); },
            [this](const Findings& findings) { tell(findings); }),
        services_{
            world,      adapters,       setup.state, setup.version, world.clock.now(), audit_,  users_,
            tokens_,    sessions_,      sign_in_,    guard_,        configuration,     jobs_,   runner_,
            scheduler_, notifications_, courier_,    archive_,      standing_,         growth_, topics_},
        api_(services_) {}

  ~Service() { finish(); }

  const Api& api() const { return api_; }

  void start() {
    tell_interrupted();
    runner_.watch_all(ends_);
    courier_.start();
    runner_.start();
    scheduler_.start();
    look_at_repository();  // whoever starts it learns now that it cannot be read
    if (users_.list().empty())
      setup_.say(
          "nobody can sign in yet: 'holdfast user add NAME --role administrator' makes the first user");
  }

  // What follows from the end of a job, and what is due once a day.
  void tick() {
    const bool ended = ends_->take();
    const auto now = world_.clock.elapsed();
    const bool look = now >= next_look_;
    if (look) next_look_ = now + kLookEvery;
    try {
      if (now >= next_ask_) {
        next_ask_ = now + kAskEvery;
        topics_.end_those_of_others();
      }
      if (ended) {
        courier_.wake();
        scheduler_.wake();
        services_.changed("points");
        services_.changed("alerts");
      }
      if (size_changed_ || (look && growth_.due())) look_at_repository();
    } catch (const std::exception& e) {
      if (look) setup_.say(std::string("cannot do what is due: ") + e.what());
    }
  }

  void finish() {
    scheduler_.finish();
    runner_.finish();
    courier_.stop();
  }

 private:
  // For the sample of its size. On a thread of its own: a repository that does not answer keeps nobody from
  // ending the service.
  void look_at_repository() {
    if (looking_.valid() && looking_.wait_for(0s) != std::future_status::ready) return;
    const bool changed = size_changed_.exchange(false);
    looking_ = std::async(std::launch::async, [this, changed] {
      try {
        const Archive::View view = archive_.look();
        if (changed || growth_.due()) growth_.sample(view);
        if (!trouble_.empty()) setup_.say("the repository can be read again");
        trouble_.clear();
      } catch (const Error& e) {
        repository_trouble(e.what() + (e.hint().empty() ? "" : "; hint: " + e.hint()));
      } catch (const std::exception& e) {
        repository_trouble(e.what());
      }
    });
  }

  // When it begins and when it becomes another, not each time. The home page has it as long as it lasts.
  void repository_trouble(const std::string& now) {
    if (now != trouble_) setup_.say("cannot read the repository: " + now);
    trouble_ = now;
  }

  std::string location() const {
    const auto system = configuration_.now();
    if (!system->repository.empty()) return system->repository;
    throw Error(Code::config, "no repository is named in " + system->file.string())
        .hint("add [repository] location = \"FOLDER\"");
  }

  void job_ended(Transaction& change, const JobReport& report) {
    // Before anybody can see that the job has ended: who then asks for its point is given it.
    archive_.changed();
    standing_.changed();
    if (changes_size(report.job.kind)) size_changed_ = true;
    notifications_.add(change, event_of(report.job, last_words(report.result)),
                       configuration_.now()->settings.notifications);
  }

  void tell_interrupted() {
    std::vector<Job> interrupted;
    {
      Transaction change = state_.change();
      interrupted = jobs_.interrupt_unfinished(change);
      for (const Job& job : interrupted)
        notifications_.add(change, event_of(job, {}), configuration_.now()->settings.notifications);
      change.commit();
    }
    for (const Job& job : interrupted)
      setup_.say("job " + std::to_string(job.id) + " (" + job.kind +
                 ") was interrupted when the service ended");
  }

  // What lasts, from the scheduler's thread: each once, until it is over. The end of a job was told as such.
  void tell(const Findings& findings) {
    const auto system = configuration_.now();
    std::set<std::string> lasting;
    Transaction change = state_.change();
    for (const Finding& f : findings) {
      if (f.code == "schedule_failed" || f.code == "schedule_interrupted") continue;
      Event event;
      event.kind = f.code == "schedule_overdue" ? Event::Kind::overdue : Event::Kind::finding;
      event.headline = f.object + " " + (f.code == "schedule_overdue" ? "is overdue" : "needs attention");
      event.happened = f.object + ": " + f.message;
      event.next = f.hint;
      event.time = world_.clock.now();
      const std::string topic = f.code + " " + f.object;
      lasting.insert(topic);
      notifications_.add_once(change, event, system->settings.notifications, topic, f.message);
    }
    for (const std::string& topic : possible_topics(*system))
      if (!lasting.contains(topic)) notifications_.settled(change, topic);
    change.commit();
    courier_.wake();
    services_.standing.changed();
    topics_.changed("alerts");
    topics_.changed("schedules");
  }

  // Also those that an earlier service told: what is over now may come again, and is told then.
  std::vector<std::string> possible_topics(const system::System& system) const {
    std::vector<std::string> out{"configuration_wrong " + system.file.string(),
                                 "schedules_blocked the service's schedules"};
    for (const auto& s : system.settings.schedules)
      for (std::string_view code : kTopics) out.push_back(std::string(code) + " [schedule." + s.name + "]");
    return out;
  }

  const ServeSetup& setup_;
  platform::World& world_;
  LiveConfiguration& configuration_;
  StateFile state_;
  Audit audit_;
  Passwords passwords_;
  Users users_;
  Tokens tokens_;
  Sessions sessions_;
  SignIn sign_in_;
  Jobs jobs_;
  Notifications notifications_;
  Delivery delivery_;
  Courier courier_;
  Archive archive_;
  Standing standing_;
  Growth growth_;
  Topics topics_;
  Guard guard_;
  std::shared_ptr<Ends> ends_ = std::make_shared<Ends>();
  std::atomic<bool> size_changed_{false};
  std::chrono::nanoseconds next_look_{0}, next_ask_{0};
  JobRunner runner_;
  Scheduler scheduler_;
  Services services_;
  Api api_;
  std::string trouble_;        // with the repository, as it was told last; of the thread that looks at it
  std::future<void> looking_;  // its end is waited for when this goes
};

// Where to listen: the argument, else the configuration.
struct Address {
  std::string host;
  std::uint16_t port;
};

Address address_of(const ServeSetup& setup, const system::ServiceSettings& settings) {
  if (setup.listen.empty()) return {settings.address, settings.port};
  // Port 0 is for tests and for nobody's configuration.
  const bool any = setup.listen.ends_with(":0");
  const auto parts =
      system::split_host_and_port(any ? setup.listen.substr(0, setup.listen.size() - 2) : setup.listen);
  if (!parts || (!any && !parts->port) || (!system::is_ipv4(parts->host) && !system::is_ipv6(parts->host)))
    throw Error(Code::usage, "--listen takes ADDRESS:PORT, not '" + printable(setup.listen) + "'")
        .safe("nothing was started")
        .hint("for example 127.0.0.1:8443 or [::1]:8443; no names");
  return {parts->host, any ? std::uint16_t{0} : *parts->port};
}

// No request is answered by what is already gone, however serve() ends.
struct StopFirst {
  http::Server& server;
  ~StopFirst() { server.stop(0ms); }
};

http::Response starting(const http::Request& request) {
  if (request.path == std::vector<std::string>{"healthz"}) return json_answer({{"status", "starting"}}, 503);
  throw http::Refusal(503, "the service is starting", {{"Retry-After", "2"}});
}

}  // namespace

std::vector<std::string> serve_plan(const ServeSetup& setup, platform::World& world, const item::AdapterSet& adapters) {
  const LiveConfiguration configuration(world.files, setup.configuration, adapters);
  const auto system = configuration.now();
  const Address address = address_of(setup, system->settings.service);
  const std::string host = system::is_ipv6(address.host) ? "[" + address.host + "]" : address.host;
  std::vector<std::string> plan{"would listen on https://" + host + ":" + std::to_string(address.port) + "/"};
  const auto identity = kept_tls_identity(world, setup.state, system->settings.service);
  plan.push_back(identity ? "with the certificate whose SHA-256 is " + identity->sha256
                          : "and make itself a certificate: " + printable((setup.state / "tls.crt").string()));
  plan.push_back("state: " + printable(setup.state.string()) + (world.files.exists(setup.state / "service.sqlite") ? "" : ", which would be made"));
  std::string on;
  for (const auto& s : system->settings.schedules)
    if (s.enabled) on += (on.empty() ? "" : ", ") + printable(s.name) + " (" + printable(s.calendar) + ")";
  plan.push_back(on.empty() ? "no schedule is on: it would start nothing by itself" : "schedules that are on: " + on);
  return plan;
}

void serve(const ServeSetup& setup, platform::World& world, const item::AdapterSet& adapters,
           const Cancel& cancel) {
  LiveConfiguration configuration(world.files, setup.configuration, adapters);
  const auto settings = configuration.now()->settings.service;
  const Address address = address_of(setup, settings);
  const TlsIdentity identity = tls_identity(world, setup.state, settings, address.host);
  if (identity.made)
    setup.say("made a certificate: " + (setup.state / "tls.crt").string() + ", SHA-256 " + identity.sha256);

  std::atomic<const Api*> api{nullptr};
  http::Options options;
  options.address = address.host;
  options.port = address.port;
  options.tls = identity.pair;
  options.problem = problem_answer;
  options.report = setup.say;
  // It would count for every port of this host, also for the protected product's own pages that are still used over plain HTTP; this port
  // speaks nothing but TLS anyway.
  options.strict_transport = false;
  http::Server server(std::move(options), [&api](http::Request& request) {
    const Api* ready = api;
    return ready ? (*ready)(request) : starting(request);
  });
  server.start();

  Service service(setup, world, adapters, configuration);
  const StopFirst stop_first{server};
  service.start();
  api = &service.api();
  setup.ready(server.port(), identity.sha256);
  platform::tell_supervisor(world.environment, "READY=1\nSTATUS=serving");
  while (!cancel.raised()) {
    world.clock.sleep(std::chrono::duration_cast<std::chrono::milliseconds>(kTick));
    service.tick();
  }
  platform::tell_supervisor(world.environment, "STOPPING=1\nSTATUS=waiting for the running job");
  setup.say("stopping: no job is started any more, the running one is asked to stop");
  service.finish();
  server.stop(std::chrono::duration_cast<std::chrono::milliseconds>(kPatience));
  setup.say("stopped");
}

}  // namespace holdfast::service
