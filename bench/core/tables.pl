# The results of Google Benchmark as tables, and their medians for reading.
# usage: perl bench/core/tables.pl RESULTS.json DIRECTORY
use strict;
use warnings;
use JSON::PP;

my ($results, $directory) = @ARGV;
die "usage: perl bench/core/tables.pl RESULTS.json DIRECTORY\n" unless defined $directory;

open my $in, '<', $results or die "$results: $!\n";
my $json = decode_json(do { local $/; <$in> });
my ($context, $runs) = @$json{qw(context benchmarks)};
# As they stand in the source, not as they were interleaved.
@$runs = sort {
    $a->{family_index} <=> $b->{family_index}
        || $a->{per_family_instance_index} <=> $b->{per_family_instance_index}
        || ($a->{repetition_index} // 0) <=> ($b->{repetition_index} // 0)
} @$runs;

my %unit = (ns => 1, us => 1e3, ms => 1e6, s => 1e9);
my $repetitions = 0;
my (@calls, @threads);   # [subject, x, round, value]
for my $run (grep { $_->{run_type} eq 'iteration' } @$runs) {
    die "$run->{name}: $run->{error_message}\n" if $run->{error_occurred};
    # The name: subject[/repeats:N][/real_time][/threads:N]
    my ($subject, @marks) = split m{/}, $run->{run_name};
    my $in_real_time = grep { $_ eq 'real_time' } @marks;
    my $over_threads = grep { /^threads:/ } @marks;
    my $round = $run->{repetition_index} + 1;
    $repetitions = $round if $round > $repetitions;
    my $rate = $run->{items_per_second};
    if ($over_threads) {
        push @threads, [$subject, $run->{threads}, $round, $rate / 1e6];
        next;
    }
    # Without waiting, the CPU's time: it does not count what others do on the machine.
    my $time = $in_real_time ? $run->{real_time} : $run->{cpu_time};
    push @calls, [$subject, '-', $round, $rate ? 1e9 / $rate : $time * $unit{$run->{time_unit}}];
}

sub write_table {
    my ($name, $unit, $x, $note, $lines) = @_;
    open my $out, '>', "$directory/$name" or die "$directory/$name: $!\n";
    print $out "# $unit\n# reference: clock_gettime\n# x: $x\n# $note\n";
    printf $out "%s\t%s\t%d\t%.6g\n", @$_ for @$lines;
    close $out or die "$directory/$name: $!\n";
}
my $rounds = "$repetitions rounds, interleaved.";
write_table('core.tsv', 'ns per ID or call', '',
    "$rounds One thread; CPU time, but where calls wait.", \@calls);
write_table('core_threads.tsv', 'million per second, all threads together', 'threads',
    "$rounds $context->{num_cpus} CPUs.", \@threads);

# --- Medians ---------------------------------------------------------------------------

sub medians {
    my (%values, @order);
    for (@{ $_[0] }) {
        my ($subject, $x, undef, $value) = @$_;
        push @order, $subject unless $values{$subject};
        push @{ $values{$subject}{$x} }, $value;
    }
    for my $of (values %values) {
        for my $x (keys %$of) {
            my @sorted = sort { $a <=> $b } @{ $of->{$x} };
            $of->{$x} = ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
        }
    }
    return (\%values, @order);
}

my ($ns, @subjects) = medians(\@calls);
my $clock = $ns->{clock_gettime}{'-'};
printf "%-44s %10s %10s\n", 'one thread, medians', 'ns', 'x clock';
printf "%-44s %10.2f %10s\n", $_, $ns->{$_}{'-'},
    $clock ? sprintf('%.2f', $ns->{$_}{'-'} / $clock) : '-' for @subjects;

my ($rates, @over_threads) = medians(\@threads);
my %seen = map { $_->[1] => 1 } @threads;
my @counts = sort { $a <=> $b } keys %seen;
printf "\n%-44s" . ' %9s' x @counts . "\n", 'million a second, medians', map { "$_ threads" } @counts;
printf "%-44s" . ' %9.1f' x @counts . "\n", $_, @{ $rates->{$_} }{@counts} for @over_threads;
