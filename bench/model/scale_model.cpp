// The simulations that docs/performance.md shows, as tables.
// usage: scale_model DIRECTORY [call=NS] [own=NS] [transfer=NS] [id=NS] [clock=NS]
//
// The costs come from the measurements in DIRECTORY where they are there: sessions.tsv (one and
// two sessions), batches.tsv and core.tsv. What is given on the command line goes before.
#include "closed_form.h"
#include "cores.h"
#include "machines.h"
#include "servers.h"
#include "tables.h"

#include <idgen/builtin_layouts.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>

namespace idgen::scale {
namespace {

using enum FieldKind;

// Four million IDs a millisecond in one ID space: only the cache line is in the way.
constexpr Layout kWidest =
    MakeLayout("widest", 1000, 1577836800000, {{kTimestamp, 41}, {kSequence, 22}});
// The same bits for 32 servers: 131,072 IDs a millisecond each.
constexpr Layout k32Servers =
    MakeLayout("timestamp:41, machine:5, sequence:17", 1000, 1577836800000,
               {{kTimestamp, 41}, {kMachine, 5}, {kSequence, 17}});

// --- Costs ---------------------------------------------------------------------------

struct Costs {
  // Where nothing was measured: what it is like on a virtual machine of 2 cores.
  double call_ns = 30;
  double own_ns = 5;
  double transfer_ns = 20;
  double id_ns = 15;
  double clock_ns = 19;
  std::string origin = "assumed";
};

Costs CostsFrom(const std::string& directory, const std::map<std::string, double>& given) {
  Costs costs;
  const std::string core = directory + "/core.tsv";
  const std::string sessions = directory + "/sessions.tsv";
  costs.own_ns = MedianOf(core, "atomic increment", "-").value_or(costs.own_ns);
  costs.clock_ns = MedianOf(core, "clock_gettime", "-").value_or(costs.clock_ns);
  costs.id_ns = MedianOf(directory + "/batches.tsv", "idgen_nextval_batch('tso', n)", "1000")
                    .value_or(costs.id_ns);
  for (const char* subject : {"idgen_nextval('tso')", "idgen_nextval('wide')"}) {
    const auto of_one = MedianOf(sessions, subject, "1");
    const auto of_two = MedianOf(sessions, subject, "2");
    if (!of_one || !of_two) continue;
    costs.call_ns = std::max(1.0, 1e3 / *of_one - costs.own_ns);
    costs.transfer_ns = std::max(costs.own_ns, LineTimeOf(*of_two, costs.call_ns));
    costs.origin = std::string("from ") + subject + " in one and two sessions";
  }
  for (const auto& [name, value] : given) {
    (name == "call"       ? costs.call_ns
     : name == "own"      ? costs.own_ns
     : name == "transfer" ? costs.transfer_ns
     : name == "id"       ? costs.id_ns
                          : costs.clock_ns) = value;
    costs.origin = "as given";
  }
  return costs;
}

// --- Cores ---------------------------------------------------------------------------

constexpr unsigned kCores[] = {1, 2, 4, 8, 16, 32, 64, 96, 128};

Work WorkOf(const Costs& costs) {
  Work work;
  work.layout = &kWidest;
  work.call_ns = costs.call_ns;
  work.id_ns = costs.id_ns;
  work.clock_ns = costs.clock_ns;
  return work;
}

// Whole ticks, so that a layout's limit shows as it is.
double RateOf(const Machine& machine, const Work& work, unsigned cores) {
  const CoresOutcome outcome = RunCores(machine, work, cores, 1, 2, cores);
  if (outcome.repeats > 0) throw std::logic_error("an ID was issued twice");
  return outcome.million_per_s;
}

// The mean cost of a transfer between two of the machine's first `cores` cores.
double MeanTransferOf(const Machine& machine, unsigned cores) {
  double sum = 0;
  for (unsigned from = 0; from < cores; ++from) {
    for (unsigned to = 0; to < cores; ++to) {
      if (from != to) sum += machine.CostOf(from, to);
    }
  }
  return cores > 1 ? sum / (cores * (cores - 1.0)) : machine.own_ns;
}

void TabulateCores(const std::string& directory, const Costs& costs) {
  const std::string parameters =
      "A call costs " + Brief(costs.call_ns) + " ns, its line " + Brief(costs.own_ns) +
      " ns where the core has it and " + Brief(costs.transfer_ns) + " ns where another had it (" +
      costs.origin + "); an ID of a batch " + Brief(costs.id_ns) + " ns.";
  TableWriter table(directory + "/model_cores.tsv", "million IDs a second", "cores",
                    {"Simulated around the core's own code. " + parameters});
  const Machine here = EvenMachine("here", 128, costs.own_ns, costs.transfer_ns);
  const Work one = WorkOf(costs);
  Work blocks = one;
  blocks.block_size = 64;
  Work four = one;
  four.spaces = 4;
  Work sixteen = one;
  sixteen.spaces = 16;
  Work batches = one;
  batches.batch = 1000;
  Work tso = blocks;
  tso.layout = &kTso;
  Work snowflake = one;
  snowflake.layout = &kSnowflake;
  std::printf("%s\n\n%-34s", parameters.c_str(), "million IDs a second, cores:");
  for (const unsigned cores : kCores) std::printf("%8u", cores);
  const auto line = [&table](std::string_view subject, auto&& rate_of) {
    std::printf("\n%-34.*s", static_cast<int>(subject.size()), subject.data());
    for (const unsigned cores : kCores) {
      const double rate = rate_of(cores);
      table.Add(subject, cores, 1, rate);
      std::printf("%8.1f", rate);
    }
  };
  const auto simulated = [&](std::string_view subject, const Work& work) {
    line(subject, [&](unsigned cores) { return RateOf(here, work, cores); });
  };
  simulated("one ID space", one);
  line("one ID space, by the formula", [&](unsigned cores) {
    return cores == 1 ? BoundOf(1, costs.call_ns, costs.own_ns)
                      : BoundOf(cores, costs.call_ns, costs.transfer_ns);
  });
  simulated("4 machine IDs", four);
  simulated("16 machine IDs", sixteen);
  line("a machine ID for each core", [&](unsigned cores) {
    Work own = one;
    own.spaces = cores;
    return RateOf(here, own, cores);
  });
  simulated("one ID space, block_size 64", blocks);
  simulated("one ID space, batches of 1,000", batches);
  simulated("tso, block_size 64", tso);
  simulated("snowflake", snowflake);
  std::printf("\n\n");
  std::fflush(stdout);
}

// The work of here, the caches of elsewhere.
void TabulateMachines(const std::string& directory, const Costs& costs) {
  const std::string source =
      "Transfer costs: github.com/nviennot/core-to-core-latency (medians). What a call costs "
      "besides is as in model_cores.";
  TableWriter rates(directory + "/model_machines.tsv", "million IDs a second", "cores", {source});
  TableWriter limits(directory + "/model_limits.tsv", "million IDs a second of all cores", "",
                     {source, "A transfer's ns are the mean between any two of the cores."});
  std::printf("%-28s%8s%8s%8s%8s%8s%8s%8s%8s\n", "all cores, million a second", "cores", "ns",
              "1 core", "1 ID sp.", "4", "16", "blocks", "each own");
  const auto limit = [&](const Machine& machine) {
    const Work one = WorkOf(costs);
    std::printf("%-28.*s", static_cast<int>(machine.name.size()), machine.name.data());
    const auto add = [&](const char* what, double value) {
      limits.Add(machine.name, what, 1, value);
      std::printf("%8.1f", value);
    };
    const auto with_spaces = [&](unsigned spaces) {
      Work work = one;
      work.spaces = spaces;
      return RateOf(machine, work, machine.cores);
    };
    Work blocks = one;
    blocks.block_size = 64;
    add("cores", machine.cores);
    add("ns a transfer", MeanTransferOf(machine, machine.cores));
    add("one core alone", RateOf(machine, one, 1));
    add("one ID space", with_spaces(1));
    add("4 machine IDs", with_spaces(4));
    add("16 machine IDs", with_spaces(16));
    add("one, block_size 64", RateOf(machine, blocks, machine.cores));
    add("a machine ID for each core", with_spaces(machine.cores));
    std::printf("\n");
  };
  limit(EvenMachine("16 cores as here", 16, costs.own_ns, costs.transfer_ns));
  for (const Machine& machine : kPublishedMachines) {
    for (const unsigned cores : kCores) {
      if (cores > machine.cores) break;
      Work work = WorkOf(costs);
      const std::string name(machine.name);
      rates.Add(name, cores, 1, RateOf(machine, work, cores));
      work.spaces = 4;
      rates.Add(name + ", 4 machine IDs", cores, 1, RateOf(machine, work, cores));
      work.spaces = 1;
      work.block_size = 64;
      rates.Add(name + ", block_size 64", cores, 1, RateOf(machine, work, cores));
    }
    limit(machine);
  }
  std::printf("\n");
}

// --- Servers -------------------------------------------------------------------------

// What requests lose at the end of a tick, by how much of the snowflake layout's limit is used.
void TabulateWaits(const std::string& directory) {
  TableWriter table(
      directory + "/model_servers.tsv", "us that a request waits", "% of 4,096 IDs a ms",
      {"Simulated around the core's own code: one server, 16 sessions, requests at random "
       "(Poisson) for one, 100 or 1,000 IDs. The IDs' own cost is not included."});
  // The more a request asks for and the nearer the limit, the longer until the queue is as long as
  // it gets; and 16 sessions may lose 16 positions of a tick, so that above 99.6% it has no end.
  const double kParts[] = {10, 25, 50, 75, 90, 95, 98, 99, 99.5};
  const struct {
    unsigned ids;
    const char* name;
    double most_part;
  } kRequests[] = {{1, "1 ID", 99.5}, {100, "100 IDs", 99}, {1000, "1,000 IDs", 98}};
  std::printf("%-34s", "us that a request waits, % of limit:");
  for (const double part : kParts) std::printf("%8.4g", part);
  for (const auto& request : kRequests) {
    std::map<std::string, std::vector<double>> lines;
    for (const double part : kParts) {
      if (part > request.most_part) break;
      constexpr unsigned kRounds = 3;
      for (unsigned round = 1; round <= kRounds; ++round) {
        const std::int64_t run_ms = part < 97 ? 400 : 2400;
        Servers servers(kSnowflake, run_ms, 0);
        Load load;
        load.layout = &kSnowflake;
        load.ids_per_s = part / 100 * 4'096'000;
        load.ids_in_request = request.ids;
        servers.Run(load, {}, {}, run_ms / 4, round);
        const ServersOutcome& outcome = servers.outcome();
        if (outcome.repeats + outcome.disorder + outcome.wrong_times > 0) {
          throw std::logic_error("a fault in the IDs of one server");
        }
        const auto add = [&](const char* what, double value) {
          table.Add(std::string(request.name) + ", " + what, part, round, value);
          if (round == kRounds) lines[what].push_back(value);
        };
        add("mean", outcome.delays.MeanUs());
        add("99%", outcome.delays.QuantileUs(0.99));
        add("99.9%", outcome.delays.QuantileUs(0.999));
      }
    }
    for (const auto& [what, values] : lines) {
      std::printf("\n%-34s", (std::string(request.name) + ", " + what).c_str());
      for (const double value : values) std::printf("%8.1f", value);
    }
  }
  std::printf("\n\n");
}

struct System {
  const char* name;
  const Layout* layout;
  unsigned servers;
  double ids_per_s;  // of all
  unsigned ids_in_request;
  std::uint64_t block_size;
  unsigned clock_set_back;  // one server's clock of so many; 0: none
  std::int64_t run_ms;
};

Identity IdentityOf(const Layout& layout, unsigned server) {
  const std::uint64_t machines = layout[kMachine].Largest() + 1;
  return {.datacenter = server / machines, .machine = server % machines};
}

void TabulateSystem(TableWriter& table, const System& system) {
  constexpr std::int64_t kMostAheadUs = 10'000;
  constexpr std::int64_t kSetBackUs = 5'000;
  Servers servers(*system.layout, system.run_ms, kMostAheadUs + kSetBackUs);
  Load load;
  load.layout = system.layout;
  load.block_size = system.block_size;
  load.ids_per_s = system.ids_per_s / system.servers;
  load.ids_in_request = system.ids_in_request;
  Random random(1);
  const std::int64_t warm_ms = 2;
  for (unsigned i = 0; i < system.servers; ++i) {
    ServerClock clock;
    clock.ahead_us = static_cast<std::int64_t>((2 * random.Unit() - 1) * kMostAheadUs);
    clock.drift = (2 * random.Unit() - 1) * 50e-6;
    if (system.clock_set_back > 0 && i % system.clock_set_back == 0) {
      clock.set_at = system.run_ms * kPsInMs / 2;
      clock.set_by_us = -kSetBackUs;
    }
    servers.Run(load, IdentityOf(*system.layout, i), clock, warm_ms, 1000 + i);
  }
  const ServersOutcome& outcome = servers.outcome();
  // IDs of a tick of one server, and from there a us of all: million a second.
  const double in_tick =
      static_cast<double>(outcome.in_whole_ticks) / static_cast<double>(outcome.whole_ticks);
  const double rate = in_tick / static_cast<double>(system.layout->tick_us) * system.servers;
  const double limit = static_cast<double>(system.layout->IdsPerTick()) /
                       static_cast<double>(system.layout->tick_us) * system.servers;
  const auto of_requests = [&](std::uint64_t count) {
    return 100 * static_cast<double>(count) / static_cast<double>(outcome.requests);
  };
  const auto faults = static_cast<double>(outcome.repeats + outcome.disorder + outcome.wrong_times);
  table.Add(system.name, "million IDs", 1, static_cast<double>(outcome.issued) / 1e6);
  table.Add(system.name, "million/s", 1, rate);
  table.Add(system.name, "% of the limit", 1, 100 * rate / limit);
  table.Add(system.name, "faults", 1, faults);
  table.Add(system.name, "% wait for a tick", 1, of_requests(outcome.tick_waits));
  table.Add(system.name, "% wait for the clock", 1, of_requests(outcome.clock_waits));
  table.Add(system.name, "mean wait, us", 1, outcome.delays.MeanUs());
  table.Add(system.name, "99.9%, us", 1, outcome.delays.QuantileUs(0.999));
  table.Add(system.name, "longest, us", 1, outcome.delays.MostUs());
  std::printf("%-58s %8.1f %8.1f %7.1f %7.0f %9.2f %9.2f %9.0f\n", system.name,
              static_cast<double>(outcome.issued) / 1e6, rate, 100 * rate / limit, faults,
              of_requests(outcome.tick_waits), of_requests(outcome.clock_waits),
              outcome.delays.MostUs());
  std::fflush(stdout);
}

void TabulateSystems(const std::string& directory) {
  TableWriter table(
      directory + "/model_billion.tsv", "a billion IDs a second", "",
      {"Simulated around the core's own code: 16 sessions a server, requests at random "
       "(Poisson), clocks up to 10 ms off and 50 millionths too fast or slow.",
       "Faults: IDs that occur twice among all servers, are out of order on theirs, or have "
       "a time that is not its clock's."});
  std::printf("%-58s %8s %8s %7s %7s %9s %9s %9s\n", "systems", "million", "mill./s", "% limit",
              "faults", "% tick", "% clock", "most us");
  TabulateSystem(table, {"1,024 servers, snowflake", &kSnowflake, 1024, 1e9, 1, 1, 0, 30});
  TabulateSystem(
      table, {"1,024 servers, snowflake, 100 a request", &kSnowflake, 1024, 1e9, 100, 1, 0, 30});
  TabulateSystem(table, {"1,024 servers, snowflake, every 16th clock set back 5 ms", &kSnowflake,
                         1024, 1e9, 1, 1, 16, 30});
  TabulateSystem(table, {"1,024 servers, snowflake, more asked for than there is", &kSnowflake,
                         1024, 4.4e9, 1, 1, 0, 10});
  TabulateSystem(table, {"32 servers, timestamp:41, machine:5, sequence:17, blocks of 64",
                         &k32Servers, 32, 1e9, 1, 64, 0, 30});
}

int Main(int count, char** arguments) {
  std::map<std::string, double> given;
  for (int i = 2; i < count; ++i) {
    const std::string argument = arguments[i];
    const std::size_t at = argument.find('=');
    const std::string name = argument.substr(0, at);
    const std::string text = at == std::string::npos ? "" : argument.substr(at + 1);
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    const bool is_cost =
        name == "call" || name == "own" || name == "transfer" || name == "id" || name == "clock";
    if (!is_cost || text.empty() || *end != '\0' || !(value > 0)) count = 0;
    given[name] = value;
  }
  if (count < 2) {
    std::fprintf(
        stderr,
        "usage: scale_model DIRECTORY [call=NS] [own=NS] [transfer=NS] [id=NS] [clock=NS]\n");
    return 2;
  }
  const std::string directory = arguments[1];
  const Costs costs = CostsFrom(directory, given);
  TabulateCores(directory, costs);
  TabulateMachines(directory, costs);
  TabulateWaits(directory);
  TabulateSystems(directory);
  return 0;
}

}  // namespace
}  // namespace idgen::scale

int main(int count, char** arguments) {
  try {
    return idgen::scale::Main(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scale_model: %s\n", error.what());
    return 1;
  }
}
