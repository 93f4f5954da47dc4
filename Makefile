# idgen: build, install and test with PGXS. `make tap` runs the tests that
# start servers of their own.
MODULE_big = idgen
OBJS = $(patsubst %.cpp,%.o,$(sort $(wildcard src/pg/*.cpp)) src/core/cycles.cpp)
EXTENSION = control/idgen
DATA = $(sort $(wildcard control/idgen--*.sql))
PGFILEDESC = "idgen - unique, time-ordered 64-bit IDs"

REGRESS_OPTS = --load-extension=idgen
REGRESS = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
ISOLATION = $(sort $(patsubst test/isolation/specs/%.spec,%,$(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --load-extension=idgen --inputdir=test/isolation --outputdir=output_iso
PROVE_TESTS = test/t/*.pl

# The module uses no exceptions, no run-time type information and no static that needs
# a guard, so that it needs no C++ run-time library in the server.
IDGEN_CXXFLAGS = -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics \
	-fvisibility=hidden -fvisibility-inlines-hidden
ifdef WERROR
IDGEN_WARNINGS = -Wall -Wextra -Wshadow -Wno-unused-parameter -Werror
endif

PG_CONFIG ?= pg_config
# As system headers: clang's bitcode step and our warnings must not judge them.
PG_CPPFLAGS = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CXXFLAGS = $(IDGEN_CXXFLAGS) -MMD -MP $(IDGEN_WARNINGS)

EXTRA_CLEAN = $(OBJS:.o=.d) output_iso tmp_check log

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Servers that crash, restart and fail over, whose clocks step. Apart from installcheck,
# because it starts servers of its own and needs Perl's IPC::Run.
.PHONY: tap
tap:
	$(prove_installcheck)

# PGXS does not give PG_CXXFLAGS to the bitcode step.
BITCODE_CXXFLAGS += $(IDGEN_CXXFLAGS)

-include $(OBJS:.o=.d)
